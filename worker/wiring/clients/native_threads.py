"""Threads that libraries start beside Python's: those that end are waited for before a fork.

The child has only the thread that forked, and whatever lock another one held is never let go of there. gRPC clears up
in such a thread after its last connection was closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

_TASKS = Path("/proc/self/task")
_LOOK = 0.001


def native_threads() -> int:
    """How many there are, about; 0 where the system does not tell."""
    try:
        return max(sum(1 for _ in _TASKS.iterdir()) - threading.active_count(), 0)
    except OSError:
        return 0


def settle(wanted: int, seconds: float, count: Callable[[], int] = native_threads) -> bool:
    """Wait until there are no more than so many, or those seconds are over; whether it is so."""
    never = threading.Event()
    for _ in range(round(seconds / _LOOK)):
        if count() <= wanted:
            return True
        never.wait(_LOOK)
    return count() <= wanted
