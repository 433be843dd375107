"""Reads a message's properties and headers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from pamqp import decode

_FIRST = b"\0\0\0\x13\x10x-delivery-countb\0"
"""All headers of a quorum queue's first delivery on RabbitMQ 3: the broker's own count, which is not used here."""


class Properties(NamedTuple):
    """The properties that are used; ``headers`` is None where the message has none."""

    content_type: str
    id: str
    headers: dict[str, object] | None


def read(data: bytes) -> Properties:
    """Read them, in AMQP's order; what cannot be read counts as no properties, so that the body is still delivered."""
    try:
        return _read(data)
    except (IndexError, ValueError, TypeError):
        return Properties("", "", None)


def _read(data: bytes) -> Properties:
    flags = data[0] << 8 | data[1]
    position = 2
    content_type = ""
    headers: dict[str, object] | None = None
    if flags & 0x8000:
        stop = 3 + data[2]
        content_type = data[3:stop].decode("utf-8", "replace")
        position = stop
    if flags & 0x4000:  # content encoding
        position += 1 + data[position]
    if flags & 0x2000:
        if data.startswith(_FIRST, position):
            position += len(_FIRST)
        else:
            used, table = decode.field_table(data[position:])
            headers = dict(table)
            position += used
    if flags & 0x1000:  # delivery mode
        position += 1
    if flags & 0x0800:  # priority
        position += 1
    for flag in (0x0400, 0x0200, 0x0100) if flags & 0x0700 else ():  # correlation id, reply-to, expiration
        if flags & flag:
            position += 1 + data[position]
    message_id = ""
    if flags & 0x0080:
        start = position + 1
        message_id = data[start : start + data[position]].decode("utf-8", "replace")
    return Properties(content_type, message_id, headers)


def text(value: object) -> str:
    """Write a header's value as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)
