"""Splits the broker's byte stream into deliveries, confirms, returns and all other methods."""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Protocol

from pamqp import base, commands, exceptions, frame

from transports.rabbitmq.wire.faults import Garbled

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
END = 0xCE
_DELIVER, _ACK, _NACK, _RETURN = 60 << 16 | 60, 60 << 16 | 80, 60 << 16 | 120, 60 << 16 | 50

_prefix = Struct(">BHI").unpack_from
_index = Struct(">I").unpack_from
_tag_and_bits = Struct(">QB").unpack_from
_body_size = Struct(">Q").unpack_from


class Sink(Protocol):
    """Where the frames of one channel go."""

    def delivered(self, tag: int, consumer: bytes, properties: bytes, body: bytes, again: int) -> None:
        """A message came for a consumer; ``again`` is 1 where it was handed out before."""
        ...

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """The broker has taken a published message, or could not."""
        ...

    def returned(self, reply: commands.Basic.Return, properties: bytes, body: bytes) -> None:
        """A published message found no queue."""
        ...

    def method(self, method: base.Frame) -> None:
        """Any other method came."""
        ...


class _Content:
    """A delivery or return whose header and body are still coming in."""

    __slots__ = ("again", "consumer", "left", "parts", "properties", "reply", "tag")

    def __init__(self, tag: int, consumer: bytes, again: int, reply: commands.Basic.Return | None) -> None:
        self.tag = tag
        self.again = again
        self.consumer = consumer
        self.reply = reply
        self.properties = b""
        self.left = 0
        self.parts: list[bytes] = []


class Reader:
    """Takes bytes as they come, in pieces of any size, and calls the sink of each frame's channel.

    Args:
        sinks: by channel; frames of other channels are dropped.
        longest: bytes of the largest frame that is accepted.
    """

    def __init__(self, sinks: Mapping[int, Sink], longest: int) -> None:
        self.longest = longest
        self._sinks = sinks
        self._rest = b""
        self._open: dict[int, _Content] = {}

    def feed(self, data: bytes) -> None:
        """Read what has come.

        Raises:
            Garbled: it is no AMQP; the connection is of no use any more.
        """
        if self._rest:
            data = self._rest + data
        position, end = 0, len(data)
        while end - position >= 8:
            kind, number, size = _prefix(data, position)
            start = position + 7
            stop = start + size
            if stop >= end:
                if size > self.longest:
                    raise Garbled(f"a frame of {size} bytes, at most {self.longest} were agreed on")
                break
            if data[stop] != END:
                raise Garbled(f"a frame of type {kind} has no end")
            if kind == METHOD:
                (index,) = _index(data, start)
                if index == _DELIVER:
                    position = self._deliver(data, number, start, stop, end)
                    continue
                self._method(data, number, position, index)
            elif kind == HEADER:
                self._header(data, number, start, stop)
            elif kind == BODY:
                self._body(data, number, start, stop)
            elif kind != HEARTBEAT:
                raise Garbled(f"a frame of the unknown type {kind}")
            position = stop + 1
        self._rest = data[position:]

    def forget(self, number: int) -> None:
        """Drop what was coming in on a channel: it is closed."""
        self._open.pop(number, None)

    def _deliver(self, data: bytes, number: int, start: int, stop: int, end: int) -> int:
        """Take a delivery, together with its header and body where they are there in one piece."""
        after: int = start + 5 + data[start + 4]
        tag, again = _tag_and_bits(data, after)
        consumer = data[start + 5 : after]
        if end - stop > 29:  # a header's prefix, class, weight, size and flags, and a body's prefix
            kind, other, size = _prefix(data, stop + 1)
            header = stop + 8
            header_end = header + size
            if kind == HEADER and other == number and header_end + 8 < end and data[header_end] == END:
                (expected,) = _body_size(data, header + 4)
                kind, other, size = _prefix(data, header_end + 1)
                body = header_end + 8
                body_end = body + size
                if kind == BODY and other == number and size == expected and body_end < end:
                    if data[body_end] != END:
                        raise Garbled("a body has no end")
                    sink = self._sinks.get(number)
                    if sink is not None:
                        sink.delivered(
                            tag, consumer, data[header + 12 : header_end], data[body:body_end], again
                        )
                    return int(body_end) + 1
        self._open[number] = _Content(tag, consumer, again, None)
        return stop + 1

    def _method(self, data: bytes, number: int, position: int, index: int) -> None:
        sink = self._sinks.get(number)
        if sink is None:
            return
        if index in {_ACK, _NACK}:
            tag, bits = _tag_and_bits(data, position + 11)
            sink.confirmed(tag, multiple=bool(bits & 1), taken=index == _ACK)
            return
        size = _prefix(data, position)[2]
        try:
            _, _, method = frame.unmarshal(data[position : position + size + 8])
        except exceptions.UnmarshalingException as error:
            raise Garbled(f"an unreadable method: {error}") from error
        if isinstance(method, commands.Basic.Return):
            self._open[number] = _Content(0, b"", 0, method)
        elif isinstance(method, base.Frame):
            sink.method(method)

    def _header(self, data: bytes, number: int, start: int, stop: int) -> None:
        content = self._open.get(number)
        if content is None:
            return
        (content.left,) = _body_size(data, start + 4)
        content.properties = data[start + 12 : stop]
        if not content.left:
            self._complete(number, content)

    def _body(self, data: bytes, number: int, start: int, stop: int) -> None:
        content = self._open.get(number)
        if content is None:
            return
        content.parts.append(data[start:stop])
        content.left -= stop - start
        if content.left <= 0:
            self._complete(number, content)

    def _complete(self, number: int, content: _Content) -> None:
        del self._open[number]
        sink = self._sinks.get(number)
        if sink is None:
            return
        body = b"".join(content.parts)
        if content.reply is not None:
            sink.returned(content.reply, content.properties, body)
        else:
            sink.delivered(content.tag, content.consumer, content.properties, body, content.again)
