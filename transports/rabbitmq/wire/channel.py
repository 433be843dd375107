"""One channel of a connection: requests and their answers in order, and the receiver for deliveries and confirms."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from pamqp import base, commands, frame

from transports.rabbitmq.wire.faults import ChannelClosed, ConnectionLost
from transports.rabbitmq.wire.writer import Writer

Answer = base.Frame


class Wire(Protocol):
    """What a channel asks of its connection."""

    def send(self, data: bytes) -> None:
        """Write."""
        ...

    def release(self, number: int) -> None:
        """Forget a channel: it is closed."""
        ...


class Receiver:
    """Is told what comes in on a channel; each method does nothing by default."""

    def delivered(self, tag: int, consumer: bytes, properties: bytes, body: bytes, again: int) -> None:
        """A message came for a consumer."""

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """The broker has taken a published message, or could not."""

    def returned(self, reply: commands.Basic.Return, properties: bytes, body: bytes) -> None:
        """A published message found no queue."""

    def cancelled(self, consumer: str) -> None:
        """The broker ended a consumer: its queue is gone, or moved."""

    def closed(self, error: ChannelClosed | ConnectionLost) -> None:
        """The channel is gone; called once."""


class Channel:
    """A channel, opened by its connection's ``channel``; a ``Sink`` of the reader."""

    def __init__(self, wire: Wire, number: int, longest: int) -> None:
        self.number = number
        self.writer = Writer(number, longest)
        self.error: ChannelClosed | ConnectionLost | None = None
        self._wire = wire
        self._answers: deque[asyncio.Future[Answer]] = deque()
        self._receiver: Receiver | None = None

    def tell(self, receiver: Receiver) -> None:
        """Tell ``receiver`` from now on."""
        self._receiver = receiver
        self.delivered = receiver.delivered  # type: ignore[method-assign]  # once a message: no hop in between
        self.confirmed = receiver.confirmed  # type: ignore[method-assign]

    def send(self, data: bytes) -> None:
        """Write frames that have no answer.

        Raises:
            ChannelClosed, ConnectionLost: it is closed.
        """
        if self.error is not None:
            raise self.error
        self._wire.send(data)

    async def call(self, request: base.Frame, timeout: float) -> Answer:
        """Send a request and return its answer; raises as ``call_all`` does."""
        (answer,) = await self.call_all([request], timeout)
        return answer

    async def call_all(self, requests: Sequence[base.Frame], timeout: float) -> Sequence[Answer]:
        """Send requests in one piece and return their answers, in order.

        Raises:
            ChannelClosed: the broker refused one, and closed the channel.
            ConnectionLost: the connection went.
            TimeoutError: there was no answer within ``timeout`` seconds.
        """
        if not requests:
            return []
        self.send(b"".join([frame.marshal(request, self.number) for request in requests]))
        loop = asyncio.get_running_loop()
        answers = [loop.create_future() for _ in requests]
        self._answers.extend(answers)
        async with asyncio.timeout(timeout):
            try:
                return [await answer for answer in answers]
            finally:
                for answer in answers:  # the rest is not waited for any more
                    if not answer.cancel() and not answer.cancelled():
                        answer.exception()

    async def close(self, timeout: float) -> None:
        """Close it; waits for the broker's answer for at most ``timeout`` seconds."""
        if self.error is not None:
            return
        try:
            await self.call(commands.Channel.Close(200, "done", 0, 0), timeout)
        except (ChannelClosed, ConnectionLost, TimeoutError):
            pass
        self.fail(ChannelClosed("the channel is closed"))

    def fail(self, error: ChannelClosed | ConnectionLost) -> None:
        """End it: every caller that waits for an answer gets ``error``, and the receiver is told."""
        if self.error is not None:
            return
        self.error = error
        while self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_exception(error)
        if self._receiver is not None:
            self._receiver.closed(error)
        self._wire.release(self.number)

    def method(self, method: base.Frame) -> None:
        """Take an answer, or what the broker does by itself."""
        if isinstance(method, commands.Channel.Close):
            error = ChannelClosed(method.reply_text or "", method.reply_code or 0)
            self._wire.send(frame.marshal(commands.Channel.CloseOk(), self.number))
            self.fail(error)
        elif isinstance(method, commands.Basic.Cancel):
            if self._receiver is not None:
                self._receiver.cancelled(method.consumer_tag or "")
        elif isinstance(method, commands.Channel.Flow):
            self._wire.send(frame.marshal(commands.Channel.FlowOk(method.active), self.number))
        elif self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_result(method)

    def delivered(self, tag: int, consumer: bytes, properties: bytes, body: bytes, again: int) -> None:
        """Drop it, as there is no receiver: the broker holds it for this channel until that is closed."""

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """Drop it, as there is no receiver."""

    def returned(self, reply: commands.Basic.Return, properties: bytes, body: bytes) -> None:
        """Tell the receiver."""
        if self._receiver is not None:
            self._receiver.returned(reply, properties, body)
