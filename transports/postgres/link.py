"""A link: one connection for one kind of work, opened when it is needed and again whenever it broke."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from transports.postgres import faults
from transports.postgres.connection import Connection, close_connection, open_connection
from transports.postgres.settings import Settings
from worker.errors import TransportUnavailable

T = TypeVar("T")

_IDLE = 5.0
"""Seconds without use after which the connection is asked whether it still lives: a half-open one does not say so."""

_TRIES = 3
"""How often work is tried in all where another transaction was in the way."""


class Link:
    """Does one thing after the other over one connection; every wait is bounded.

    Args:
        settings: of the transport.
        name: of the transport.
        synchronous: whether commits are on disk when they are answered.
        opened: told of each new connection.
        lost: told of each connection that broke.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        *,
        synchronous: bool = True,
        opened: Callable[[], None] = lambda: None,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._name = name
        self._synchronous = synchronous
        self._opened = opened
        self._lost = lost
        self._suspected = False
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._used = 0.0
        self._closed = False

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do ``work`` with the connection.

        Work that is done in several statements must be harmless to begin again.

        Raises:
            OutcomeUnknown: the connection broke, or no answer came in time: it may have been done.
            TransportUnavailable: nothing was done.
        """
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._turn.acquire()
        except TimeoutError:
            raise TransportUnavailable(
                f"postgresql {self._settings.shown}: earlier requests are not answered yet"
            ) from None
        try:
            return await self._do(await self._ready(), work)
        finally:
            self._turn.release()

    def suspect(self) -> None:
        """Open another connection for what comes next: this one is likely to be as dead as one that just broke."""
        self._suspected = True

    async def close(self) -> None:
        """Let go of the connection. Idempotent."""
        self._closed = True
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                await close_connection(connection)

    async def _ready(self) -> Connection:
        if self._closed:
            raise TransportUnavailable(f"postgresql {self._settings.shown}: the transport is closed")
        loop = asyncio.get_running_loop()
        if self._suspected:
            self._suspected = False
            self._drop()
        connection = self._connection
        if connection is not None and not connection.is_closed() and loop.time() - self._used > _IDLE:
            try:
                await connection.execute("SELECT 1", timeout=self._settings.timeout / 2)
            except faults.DRIVER_ERRORS:
                self._drop()
                self._lost()
        if connection is None or connection.is_closed():
            self._drop()
            self._connection = await open_connection(
                self._settings, name=self._name, synchronous=self._synchronous
            )
            self._opened()
        return self._connection

    async def _do(self, connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
        for attempt in range(1, _TRIES + 1):
            try:
                async with asyncio.timeout(self._settings.timeout):
                    result = await work(connection)
                self._used = asyncio.get_running_loop().time()
                self._suspected = False
                return result
            except ValueError:  # what was to be sent could not be
                if not await self._rolled_back(connection):
                    self._drop()
                raise
            except faults.DRIVER_ERRORS as error:
                if faults.breaks(error) or not await self._rolled_back(connection):
                    self._drop()
                    self._lost()
                if not faults.was_refused(error):
                    raise faults.unknown(self._settings.shown, error) from error
                if not faults.passes(error) or attempt == _TRIES or self._connection is None:
                    raise faults.unavailable(self._settings.shown, error) from error
            except BaseException:
                self._drop()  # cancelled in the middle of something
                raise
        raise AssertionError("unreachable")

    async def _rolled_back(self, connection: Connection) -> bool:
        try:
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK", timeout=self._settings.timeout)
        except faults.DRIVER_ERRORS:
            return False
        return True

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
