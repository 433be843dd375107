"""Keys as brokers keep them that take a key of a few bytes only."""

from __future__ import annotations

import hashlib


def kept(key: str, most: int) -> str:
    """Return the key, or its hash where it has more than ``most`` bytes: equal keys stay equal, so order by key holds."""
    if len(key) <= most // 4:  # a character has four bytes at most
        return key
    written = key.encode(errors="surrogatepass")  # what cannot be written is refused elsewhere
    return key if len(written) <= most else hashlib.sha256(written).hexdigest()
