"""Message ids: UUIDv7 (RFC 9562), and ids derived from another, so that a repeat is the same message."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from uuid import UUID

Clock = Callable[[], float]
"""Seconds since the epoch."""

Entropy = Callable[[int], bytes]
"""So many random bytes."""

ENTROPY: Entropy = os.urandom
"""The machine's own."""

_VERSION = 0x7000
_VARIANT = 0x8000_0000_0000_0000
_TAIL_BITS = 0x3FFF_FFFF_FFFF_FFFF


def new_id(now: float | None = None, entropy: Entropy = ENTROPY) -> str:
    """Make a UUIDv7: 48 bits of milliseconds, 74 random bits; sorts by time to the millisecond.

    Args:
        now: seconds since the epoch; None for the machine's clock.
        entropy: makes the random bits.
    """
    return _format(int((time.time() if now is None else now) * 1000), int.from_bytes(entropy(10)))


def derive_id(parent: str, *parts: object) -> str:
    """Make the id that follows from ``parent`` and ``parts``: always the same one, and as old as its parent."""
    digest = hashlib.sha256("\x00".join((parent, *map(str, parts))).encode()).digest()
    try:
        milliseconds = UUID(parent).int >> 80
    except ValueError:
        milliseconds = 0
    return _format(milliseconds, int.from_bytes(digest[:10]))


def id_of_tick(milliseconds: int, *parts: object) -> str:
    """Make the id that follows from ``parts``, as old as the tick: always the same one."""
    digest = hashlib.sha256("\x00".join(map(str, parts)).encode()).digest()
    return _format(milliseconds, int.from_bytes(digest[:10]))


def is_id(text: str) -> bool:
    """Tell whether ``text`` is a UUID in its usual form."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _format(milliseconds: int, random: int) -> str:
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 16 | _VERSION | (random >> 68 & 0xFFF)
    text = (high << 64 | _VARIANT | random & _TAIL_BITS).to_bytes(16).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
