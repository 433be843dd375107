"""The prospect of a queue: whether a free slot should wait for it rather than turn to a lesser one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

FIRST = 10.0
"""Seconds that slots wait for a queue of which nothing is known yet: Kafka deals out partitions in some seconds."""

NEXT = 5.0
"""Seconds that slots wait for the next read, after one that may not have brought all: of Kafka each partition's leader
answers by itself, and later where it has just become that."""

_LATE = 0.01


class Prospect:
    """Remembers how the last read of a queue ended.

    Args:
        wake: lets a free slot look again when waiting was long enough.

    Attributes:
        empty: the last read brought all there was.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.empty = False
        self._wake = wake
        self._patience = FIRST
        self._until: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def unknown(self) -> None:
        """Nothing is known of it any more."""
        self._patience = FIRST
        self._known(empty=False)

    def read(self, *, got: bool, empty: bool) -> None:
        """A read has ended; one that brought nothing and cannot tell why ends no patience."""
        if got or empty:
            self._patience = NEXT
            self._known(empty=empty)
        else:
            self.empty = False

    def awaited(self) -> bool:
        """Whether something may come at any moment; no longer than for a bounded time after it was first asked."""
        if self.empty:
            return False
        loop = asyncio.get_running_loop()
        if self._until is None:
            self._until = loop.time() + self._patience
            self._timer = loop.call_later(self._patience + _LATE, self._wake)
            return True
        return loop.time() < self._until

    def _known(self, *, empty: bool) -> None:
        self.empty = empty
        self._until = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
