"""A failed message's body in its column, with the headers that belong to it where it came in binary mode."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_MARK = b"\x00command-worker:headers\x00"
_END = b"\x00"
"""Of the headers: JSON never has this byte."""


def write(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Put body and headers into one value; without headers it is the body as it is."""
    if not headers and not body.startswith(_MARK):
        return body
    return _MARK + msgspec.json.encode(dict(headers)) + _END + body


def read(stored: bytes) -> tuple[bytes, dict[str, str]]:
    """Take body and headers apart again."""
    if not stored.startswith(_MARK):
        return stored, {}
    headers, _, body = stored.removeprefix(_MARK).partition(_END)
    return body, msgspec.json.decode(headers, type=dict[str, str])
