"""Writes the frames of which there are many: publishes, acks and give-backs, many in one piece."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from pamqp import encode

from transports.rabbitmq.wire.reader import BODY, END, HEADER, METHOD

HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"

_prefix = Struct(">BHI").pack
_header = Struct(">BHIHHQH").pack
_settling = Struct(">BHIHHQBB").pack
_END = bytes([END])
_CONTENT_TYPE, _HEADERS, _DELIVERY_MODE, _PRIORITY, _MESSAGE_ID, _TYPE = (
    0x8000,
    0x2000,
    0x1000,
    0x0800,
    0x0080,
    0x0020,
)
_CACHED = 1024
"""Routes, content types and types that are remembered in their encoded form."""


class Writer:
    """Encodes for one channel.

    Args:
        number: of the channel.
        longest: bytes of the largest frame that was agreed on.
    """

    def __init__(self, number: int, longest: int) -> None:
        self._number = number
        self._room = longest - 8
        self._body = _prefix(BODY, number, 0)[:3]
        self._routes: dict[tuple[str, str], bytes] = {}
        self._texts: dict[str, bytes] = {}

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        id: str,
        type: str,
        content_type: str,
        headers: dict[str, object] | None = None,
        priority: int = 0,
    ) -> bytes:
        """Encode a persistent, mandatory message: method, header and body."""
        route = self._routes.get((exchange, routing_key))
        if route is None:
            route = self._route(exchange, routing_key)
        flags = _CONTENT_TYPE | _DELIVERY_MODE | _MESSAGE_ID | _TYPE
        values = [self._text(content_type)]
        if headers:
            flags |= _HEADERS
            values.append(encode.field_table(headers))  # type: ignore[arg-type]  # its own alias is narrower than AMQP
        values.append(b"\x02")
        if priority:
            flags |= _PRIORITY
            values.append(bytes([priority]))
        encoded = id.encode()
        values.extend((bytes([len(encoded)]), encoded, self._text(type)))
        properties = b"".join(values)
        size = len(body)
        header = _header(HEADER, self._number, 14 + len(properties), 60, 0, size, flags)
        if size <= self._room:
            frame = self._body + size.to_bytes(4, "big") + body + _END if size else b""
            return b"".join((route, header, properties, _END, frame))
        parts = [route, header, properties, _END]
        for start in range(0, size, self._room):
            part = body[start : start + self._room]
            parts.extend((self._body, len(part).to_bytes(4, "big"), part, _END))
        return b"".join(parts)

    def ack(self, tag: int, *, multiple: bool = False) -> bytes:
        """Encode an ack."""
        return _settling(METHOD, self._number, 13, 60, 80, tag, multiple, END)

    def acks(self, tags: Iterable[int]) -> bytes:
        """Encode one ack for each."""
        number = self._number
        return b"".join([_settling(METHOD, number, 13, 60, 80, tag, 0, END) for tag in tags])

    def requeues(self, tags: Iterable[int]) -> bytes:
        """Encode a give-back for each: ``nack`` with requeue, which from RabbitMQ 4.3 on counts as no delivery."""
        number = self._number
        return b"".join([_settling(METHOD, number, 13, 60, 120, tag, 2, END) for tag in tags])

    def _route(self, exchange: str, routing_key: str) -> bytes:
        names = encode.short_string(exchange) + encode.short_string(routing_key)
        payload = b"\x00\x3c\x00\x28\x00\x00" + names + b"\x01"  # basic.publish, ticket 0, mandatory
        route = _prefix(METHOD, self._number, len(payload)) + payload + _END
        if not exchange and len(self._routes) < _CACHED:
            self._routes[exchange, routing_key] = route
        return route

    def _text(self, text: str) -> bytes:
        encoded = self._texts.get(text)
        if encoded is None:
            encoded = encode.short_string(text)
            if len(self._texts) < _CACHED:
                self._texts[text] = encoded
        return encoded
