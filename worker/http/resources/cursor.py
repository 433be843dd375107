"""Cursors: where the next page of a collection begins, as a text that says nothing to its reader.

A cursor has the filters and the order of its page in it, so that it can be passed on alone. Its digest tells a text that was
cut, changed or made for another collection; it is no secret's. Nothing is believed of what a cursor holds: its reader
checks each value as if a caller had written it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

MAX_LENGTH = 32_768
"""Characters; what holds a text of 24,000 bytes at most, for it has to stand in an address."""
EXPECTED = "expected the next of a page before; leave it out to begin anew"
_DIGEST = 9


class Begun(msgspec.Struct, frozen=True, array_like=True):
    """A collection that has been read up to some object.

    Attributes:
        query: filters and order of its first page, names and values as they were asked.
        after: what the order's fields hold in the last object, as JSON data.
    """

    query: tuple[tuple[str, str], ...]
    after: tuple[Any, ...]


def cursor_of(query: Sequence[tuple[str, str]], after: Sequence[Any], collection: str) -> str:
    """Write a cursor.

    Args:
        query: filters and order.
        after: what the order's fields hold in the last object.
        collection: whose cursor it is.
    """
    held = msgspec.json.encode(Begun(tuple(query), tuple(after)))
    return base64.urlsafe_b64encode(_digest(held, collection) + held).rstrip(b"=").decode()


def begun(cursor: str, collection: str) -> Begun:
    """Read a cursor.

    Raises:
        ValueError: it is none, or another collection's.
    """
    if not cursor.isascii() or len(cursor) > MAX_LENGTH:
        raise ValueError(EXPECTED)
    try:
        held = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        # several texts may mean the same bytes; one of them is ours
        if base64.urlsafe_b64encode(held).rstrip(b"=").decode() != cursor:
            raise ValueError(EXPECTED)
        if held[:_DIGEST] != _digest(held[_DIGEST:], collection):
            raise ValueError(EXPECTED)
        return msgspec.json.decode(held[_DIGEST:], type=Begun)
    except (ValueError, RecursionError):
        raise ValueError(EXPECTED) from None


def _digest(held: bytes, collection: str) -> bytes:
    return hashlib.blake2b(held, digest_size=_DIGEST, person=b"cursor", salt=_salt(collection)).digest()


def _salt(collection: str) -> bytes:
    return hashlib.blake2b(collection.encode(), digest_size=16).digest()
