"""Secrets of tokens: made, and kept as hashes only."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

PREFIX = "cwt_"
"""How made secrets begin, so that scanners of repositories and logs know them."""
SHORTEST = 16
"""Characters that a secret in the settings has at least."""
LONGEST = 1024
"""Bytes of a secret; what is longer is none."""

_BYTES = 32
_HASH = re.compile(r"[0-9a-f]{64}")


def make_secret(entropy: Callable[[int], bytes]) -> str:
    """Make a secret of 256 random bits: letters, digits, ``-`` and ``_``."""
    return PREFIX + urlsafe_b64encode(entropy(_BYTES)).decode().rstrip("=")


def digest_of(secret: bytes) -> bytes:
    """Return what is known of a secret. It is long and random, so a fast hash is enough."""
    return sha256(secret).digest()


def hash_of(secret: str) -> str:
    """Return the hash that is stored of a secret: SHA-256 in hexadecimal."""
    return sha256(secret.encode()).hexdigest()


def is_hash(text: str) -> bool:
    """Whether a text is a hash as they are stored."""
    return _HASH.fullmatch(text) is not None
