"""A link: one channel for one kind of work, made anew when it has gone silent."""

from __future__ import annotations

import asyncio
from typing import Any

from transports.pubsub.faults import Failed, broken_off, failed, unreadable
from transports.pubsub.library import grpc
from transports.pubsub.settings import Settings
from transports.pubsub.wire import Method
from worker.messaging.bounded import closed

_HOST = "pubsub.googleapis.com:443"
_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own for each channel
]
_CLOSING = 2.0
_RENEWAL = 5.0
"""Seconds between two renewals of a channel: more of them would not help where the service is slow."""


class Link:
    """One channel of the running loop, made anew when it has gone silent.

    Args:
        settings: where to.
        credentials: of the application; None for an emulator.
    """

    def __init__(self, settings: Settings, credentials: Any) -> None:
        self._settings = settings
        self._credentials = credentials
        self._closing: set[asyncio.Task[None]] = set()
        self._stubs: dict[str, Any] = {}
        self._made = asyncio.get_running_loop().time()  # made outside a running loop it would hang for ever
        self._channel = self._make()

    async def call(self, method: Method, request: Any, timeout: float) -> Any:
        """Call, and return the answer.

        Raises:
            Failed: there was none in time, or the service refuses.
        """
        stub = self._stubs.get(method.path)
        if stub is None:
            stub = self._stubs[method.path] = self._channel.unary_unary(
                method.path,
                request_serializer=type(request).SerializeToString,
                response_deserializer=method.answer.FromString,
            )
        routed = f"{method.routed}={getattr(request, method.routed)}".replace("/", "%2F")
        try:
            answer = await stub(request, timeout=timeout, metadata=(("x-goog-request-params", routed),))
            if answer is None:  # the library logs what cannot be read
                raise unreadable(self._settings.shown)
            return answer
        except grpc.aio.AioRpcError as error:
            raise failed(self._settings.shown, error) from None
        except grpc.aio.UsageError:
            raise Failed(f"{self._settings.shown}: not connected", "UNAVAILABLE") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise broken_off(self._settings.shown) from None

    def renew(self) -> None:
        """Use another channel from now on; what is under way may still end."""
        now = asyncio.get_running_loop().time()
        if now - self._made < _RENEWAL:
            return
        old, self._channel, self._made = self._channel, self._make(), now
        self._stubs.clear()
        task = asyncio.get_running_loop().create_task(old.close(grace=self._settings.timeout))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Let go."""
        await closed(self._channel.close(), _CLOSING)
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _make(self) -> Any:
        if self._credentials is None:
            return grpc.aio.insecure_channel(self._settings.emulator_host, options=_OPTIONS)
        from google.api_core import grpc_helpers_async

        return grpc_helpers_async.create_channel(_HOST, credentials=self._credentials, options=_OPTIONS)
