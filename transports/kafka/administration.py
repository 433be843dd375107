"""Questions about the cluster itself: one client, made when it is needed and thrown away when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, NodeNotReadyError

from transports.kafka.connection import Connection
from transports.kafka.driver import dismiss
from worker.errors import TransportUnavailable

T = TypeVar("T")


_RETRY_PAUSE = 0.1


class Administration:
    """Asks questions, each for a bounded time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: AIOKafkaAdminClient | None = None
        self._lock = asyncio.Lock()
        self._closed = False

    async def ask(
        self, what: str, question: Callable[[Any], Awaitable[T]], seconds: float | None = None
    ) -> T:
        """Put a question to the client.

        Raises:
            TransportUnavailable: there was no answer; the next question comes over a new connection.
        """
        client = await self._open()
        try:
            return await self._connection.within(what, _patiently(client, question), seconds)
        except TransportUnavailable:
            if self._client is client:
                self._client = None
                await dismiss(client, 1.0)
            raise

    async def close(self) -> None:
        """Let go of the connection."""
        self._closed = True
        async with self._lock:
            client, self._client = self._client, None
        if client is not None:
            await dismiss(client, 1.0)

    async def _open(self) -> AIOKafkaAdminClient:
        async with self._lock:
            if self._closed:
                raise self._connection.unavailable("not connected")
            if self._client is None:
                client = self._connection.admin()
                try:
                    await self._connection.connected("connecting", client.start())
                except BaseException:
                    await dismiss(client, 1.0)
                    raise
                self._client = client
            return self._client


async def _patiently(client: Any, question: Callable[[Any], Awaitable[T]]) -> T:
    """Ask again while the cluster says that it can answer soon: a coordinator moves, or is being made."""
    while True:
        try:
            return await question(client)
        except KafkaError as error:
            if not error.retriable or isinstance(error, KafkaConnectionError | NodeNotReadyError):
                raise
            await asyncio.sleep(_RETRY_PAUSE)
