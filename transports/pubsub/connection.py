"""The connection: channels of the running loop, calls with a deadline, our errors out."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio

from transports.pubsub import monitoring
from transports.pubsub.faults import Failed, broken_off, failed
from transports.pubsub.settings import Settings
from transports.pubsub.wire import Method
from worker.errors import TransportUnavailable
from worker.messaging.bounded import closed

_HOST = "pubsub.googleapis.com:443"
_SCOPES = ("https://www.googleapis.com/auth/pubsub",)
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
"""Seconds between two renewals of a channel: a service that is slow is not helped by more of them."""


class RenewedChannel:
    """One channel, made anew when it has gone silent.

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
            return await stub(request, timeout=timeout, metadata=(("x-goog-request-params", routed),))
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


class Connection:
    """Two lines: one for pulls, which stay open, and one for all else, which must never wait behind them.

    Args:
        name: of the transport.
        settings: where to.

    Attributes:
        credentials: of the application; None for an emulator, or before it is connected.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self.settings = settings
        self.credentials: Any = None
        self._calls: RenewedChannel | None = None
        self._pulls: RenewedChannel | None = None

    @property
    def open(self) -> bool:
        """Whether it may be used."""
        return self._calls is not None

    async def connect(self) -> None:
        """Make the lines in the running loop.

        Raises:
            TransportUnavailable: there are no credentials.
        """
        if not self.settings.emulator_host:
            self.credentials = await asyncio.to_thread(self._credentials)
        self._calls, self._pulls = (RenewedChannel(self.settings, self.credentials) for _ in range(2))

    async def call(self, method: Method, request: Any, timeout: float | None = None) -> Any:
        """Call the service over the line for all that ends soon.

        Raises:
            Failed: there was no answer in time, or the service refuses.
            TransportUnavailable: it is not connected.
        """
        line = self._line(self._calls)
        try:
            return await line.call(method, request, timeout or self.settings.timeout)
        except Failed as error:
            if error.code == "DEADLINE_EXCEEDED":
                line.renew()  # perhaps the line is dead and nobody has said so
            raise

    async def pull(self, method: Method, request: Any, timeout: float) -> Any:
        """Call over the line that pulls use; raises as ``call`` does."""
        return await self._line(self._pulls).call(method, request, timeout)

    def renew_pulls(self) -> None:
        """The line of the pulls is dead: take another."""
        if self._pulls is not None:
            self._pulls.renew()

    async def close(self) -> None:
        """Let go of both."""
        lines, self._calls, self._pulls = (self._calls, self._pulls), None, None
        for line in lines:
            if line is not None:
                await line.close()

    def _line(self, line: RenewedChannel | None) -> RenewedChannel:
        if line is None:
            raise TransportUnavailable(f"{self.settings.shown}: transport {self._name!r} is not connected")
        return line

    def _credentials(self) -> Any:
        import google.auth
        import google.auth.exceptions

        try:
            scopes = [*_SCOPES, monitoring.SCOPE] if self.settings.monitoring else _SCOPES
            return google.auth.default(scopes=scopes)[0]
        except google.auth.exceptions.GoogleAuthError as error:
            told = str(error).splitlines()[0]
            raise TransportUnavailable(f"{self.settings.shown}: no credentials: {told}") from None
