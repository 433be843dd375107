"""Ordering keys of many bytes: brokers and databases order by them, and keep them in indexes that take a few only."""

from __future__ import annotations

import hashlib

_MOST = 2048
"""Bytes of a key as it is given to a broker; an entry of PostgreSQL's index takes 2,704 in all."""


def carried(key: str | None) -> str | None:
    """A message's key as it is given to brokers and the outbox; whole it stands in the message itself."""
    return None if key is None else kept(key, _MOST)


def kept(key: str, most: int) -> str:
    """Return the key, or its hash where it has more than ``most`` bytes: equal keys stay equal, so order by key holds."""
    if len(key) <= most // 4:  # a character has four bytes at most
        return key
    written = key.encode(errors="surrogatepass")  # what cannot be written is refused elsewhere
    return key if len(written) <= most else hashlib.sha256(written).hexdigest()
