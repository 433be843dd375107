"""One connection to a broker: handshake, channels, heartbeats, and its end with the reason."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from pamqp import base, commands, frame, header

from transports.rabbitmq.wire.channel import Channel
from transports.rabbitmq.wire.faults import ChannelClosed, ConnectionLost, WireFault
from transports.rabbitmq.wire.login import LONGEST_FRAME, Login
from transports.rabbitmq.wire.reader import Reader, Sink
from transports.rabbitmq.wire.writer import HEARTBEAT

_CLOSING = 2.0
"""Seconds that the broker has to answer a close."""
_PATIENCE = 1.0
"""Least seconds past a whole heartbeat for which a connection may be silent, however short the heartbeat is."""
_LOOKS = 4
"""How often in a heartbeat the connection is looked at."""


async def connect(host: str, port: int, login: Login, timeout: float) -> AmqpConnection:
    """Open a connection within ``timeout`` seconds.

    Raises:
        ConnectionLost: the broker refused, with its reason.
        OSError: no server listens there, or its certificate is not accepted.
        TimeoutError: it did not answer.
    """
    loop = asyncio.get_running_loop()
    amqp = AmqpConnection(login, loop)
    try:
        async with asyncio.timeout(timeout):
            await loop.create_connection(
                lambda: amqp, host, port, ssl=login.tls, server_hostname=host if login.tls else None
            )
            await amqp.opened
    except BaseException:
        amqp.fail(ConnectionLost("the handshake did not end"))
        if amqp.opened.done() and not amqp.opened.cancelled():
            amqp.opened.exception()
        raise
    return amqp


class AmqpConnection(asyncio.Protocol):
    """An open connection. When it ends, by either side, ``lost`` is resolved with the reason.

    Attributes:
        blocked: why the broker takes no publishes at the moment, None while it does.
        unblocked: set while it takes them.
    """

    def __init__(self, login: Login, loop: asyncio.AbstractEventLoop) -> None:
        self.opened: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[ConnectionLost] = loop.create_future()
        self.blocked: str | None = None
        self.unblocked = asyncio.Event()
        self.unblocked.set()
        self._login = login
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._channels: dict[int, Channel] = {}
        self._sinks: dict[int, Sink] = {0: self}
        self._reader = Reader(self._sinks, LONGEST_FRAME)
        self._longest = LONGEST_FRAME
        self._most = 1
        self._numbers = 0
        self._heartbeat = float(login.heartbeat)
        self._heard = self._said = self._looked = loop.time()
        self._beat: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._goodbye: asyncio.Future[None] | None = None

    # --- channels ---------------------------------------------------------------------------------------------------

    async def channel(self, timeout: float) -> Channel:
        """Open a channel; raises as ``Channel.call_all`` does, ``ConnectionLost`` when there are too many."""
        if self.lost.done():
            raise self.lost.result()
        number = self._free_number()
        opened = Channel(self, number, self._longest)
        self._channels[number] = self._sinks[number] = opened
        try:
            await opened.call(commands.Channel.Open(), timeout)
        except BaseException:
            opened.fail(ChannelClosed("the channel was not opened"))
            raise
        return opened

    def send(self, data: bytes) -> None:
        """Write; after the connection's end this drops the data."""
        if self._transport is not None and not self.lost.done():
            self._said = self._loop.time()
            self._transport.write(data)

    @property
    def writable(self) -> bool:
        """Whether the socket takes more at once."""
        return self._writable.is_set()

    async def drained(self) -> None:
        """Wait until the socket takes more, or the connection ends."""
        await self._writable.wait()

    def release(self, number: int) -> None:
        """Forget a channel that is closed."""
        if self._channels.pop(number, None) is not None:
            del self._sinks[number]
            self._reader.forget(number)

    async def close(self) -> None:
        """Close it in agreement with the broker, within bounded time. Idempotent."""
        if self.lost.done():
            return
        self._goodbye = self._loop.create_future()
        self.send(frame.marshal(commands.Connection.Close(200, "done", 0, 0), 0))
        try:
            async with asyncio.timeout(_CLOSING):
                await self._goodbye
        except TimeoutError:
            pass
        finally:
            self.fail(ConnectionLost("the connection is closed"))

    def fail(self, error: ConnectionLost) -> None:
        """End it now; everything that waits for it, and every channel, gets the reason."""
        if self.lost.done():
            return
        self.lost.set_result(error)
        if self._beat is not None:
            self._beat.cancel()
        if not self.opened.done():
            self.opened.set_exception(error)
        if self._goodbye is not None and not self._goodbye.done():
            self._goodbye.set_result(None)
        if self._transport is not None:
            self._transport.abort()  # not close: over TLS that would wait for the other side's farewell
        self._writable.set()
        self.unblocked.set()
        for channel in tuple(self._channels.values()):
            channel.fail(error)

    # --- what asyncio calls -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by class
        if self.lost.done():
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=1 << 20)
        self._heard = self._looked = self._loop.time()
        self.send(header.ProtocolHeader().marshal())
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read what has come."""
        self._heard = self._loop.time()
        try:
            self._reader.feed(data)
        except WireFault as error:
            self.fail(ConnectionLost(str(error)))
        except Exception as error:  # a fault of this code: not ended, the connection would be silent for good
            self._loop.call_exception_handler({"message": "reading AMQP frames failed", "exception": error})
            self.fail(ConnectionLost(f"reading failed: {type(error).__name__}: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self.fail(ConnectionLost(f"connection lost: {exc}" if exc else "the broker closed the connection"))

    def pause_writing(self) -> None:
        """The socket is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It takes more."""
        self._writable.set()

    # --- channel 0 --------------------------------------------------------------------------------------------------

    def method(self, method: base.Frame) -> None:
        """Take a step of the handshake, or what the broker says about the whole connection."""
        match method:
            case commands.Connection.Start():
                self._answer(self._login.start_ok())
            case commands.Connection.Tune():
                agreed = self._login.tune_ok(method)
                self._longest = self._reader.longest = agreed.frame_max
                self._most = agreed.channel_max
                self._heartbeat = float(agreed.heartbeat)
                self._answer(agreed)
                self._answer(commands.Connection.Open(self._login.vhost))
            case commands.Connection.OpenOk():
                if not self.opened.done():
                    self.opened.set_result(None)
            case commands.Connection.Blocked():
                self.blocked = method.reason or "no reason given"
                self.unblocked.clear()
            case commands.Connection.Unblocked():
                self.blocked = None
                self.unblocked.set()
            case commands.Connection.Close():
                self._answer(commands.Connection.CloseOk())
                self.fail(ConnectionLost(method.reply_text or "", method.reply_code or 0))
            case commands.Connection.CloseOk():
                if self._goodbye is not None and not self._goodbye.done():
                    self._goodbye.set_result(None)
            case _:
                pass

    def delivered(self, tag: int, consumer: bytes, properties: bytes, body: bytes, again: int) -> None:
        """Nothing is delivered on channel 0."""

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """Nothing is confirmed on channel 0."""

    def returned(self, reply: Any, properties: bytes, body: bytes) -> None:
        """Nothing is returned on channel 0."""

    def _answer(self, method: base.Frame) -> None:
        self.send(frame.marshal(method, 0))

    def _free_number(self) -> int:
        for _ in range(self._most):
            self._numbers = self._numbers % self._most + 1
            if self._numbers not in self._channels:
                return self._numbers
        raise ConnectionLost(f"all {self._most} channels are in use")

    def _watch(self) -> None:
        """Send a sign of life, and check for the broker's.

        RabbitMQ checks twice in a heartbeat whether it has to send a sign, so a whole heartbeat may pass in silence; after
        half of another one the broker is gone. Where this process itself was held up, it has not read either: the
        broker's signs may lie in the socket, and the next check finds them.
        """
        now = self._loop.time()
        held_up = now - self._looked > 2 * self._heartbeat / _LOOKS
        self._looked = now
        silence = now - self._heard
        if silence > self._heartbeat + max(self._heartbeat / 2, _PATIENCE) and not held_up:
            self.fail(ConnectionLost(f"no sign of life from the broker for {silence:.0f} s"))
            return
        if self.opened.done() and now - self._said >= self._heartbeat / 2:
            self.send(HEARTBEAT)
        self._beat = self._loop.call_later(self._heartbeat / _LOOKS, self._watch)
