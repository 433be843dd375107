"""The pace of one queue: what asks a ramp before each start, and wakes a slot when it is time for the next."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from worker.runtime.ramp import Ramp


class Pace:
    """As fast as slots are free, or as a ramp allows while there is one.

    Args:
        wake: lets a free slot look for work.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.ramp: Ramp | None = None
        self._wake = wake
        self._due: asyncio.TimerHandle | None = None

    def allows(self, running: int) -> bool:
        """Whether one more may start now while ``running`` do; if not, a slot is woken in time."""
        if self.ramp is None:
            return True
        loop = asyncio.get_running_loop()
        delay = self.ramp.delay(loop.time(), running)
        if delay <= 0.0:
            return True
        if delay != math.inf and self._due is None:
            self._due = loop.call_later(delay, self._look)
        return False

    def started(self) -> None:
        """Note that one starts."""
        if self.ramp is not None:
            self.ramp.started(asyncio.get_running_loop().time())

    def ended(self, *, well: bool) -> None:
        """Note how a handler ended."""
        if self.ramp is not None:
            self.ramp.finished(asyncio.get_running_loop().time(), well=well)

    def _look(self) -> None:
        self._due = None
        self._wake()
