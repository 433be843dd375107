"""Names of queues: what SQS takes of the application's name, with the ending of a FIFO queue."""

from __future__ import annotations

import hashlib
import re

LONGEST = 80
"""Most characters of a name, its ending counted in."""

FIFO = ".fifo"
FAILED = "-failed"
"""The ending of a dead-letter queue, before that of a FIFO queue."""

_ROOM = LONGEST - len(FAILED) - len(FIFO)
_LONGEST_PREFIX = 40
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")


def physical(prefix: str, queue: str, *, fifo: bool) -> str:
    """The name of a queue on SQS; one that SQS would not take is changed, and made unique by a part of its hash."""
    wanted = prefix + queue
    legal = _ILLEGAL.sub("-", wanted)
    if legal != wanted or len(legal) > _ROOM:
        digest = hashlib.sha256(wanted.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        legal = f"{legal[: _ROOM - 9]}-{digest}"
    return legal + FIFO if fifo else legal


def dead(name: str) -> str:
    """The name of the dead-letter queue of a queue, by its name on SQS."""
    return f"{name.removesuffix(FIFO)}{FAILED}{FIFO if name.endswith(FIFO) else ''}"


def fault(prefix: str) -> str | None:
    """Say what is expected of a prefix that cannot be one; None where it can."""
    if len(prefix) > _LONGEST_PREFIX or _ILLEGAL.search(prefix):
        return f"at most {_LONGEST_PREFIX} letters, digits, '-' and '_'"
    return None
