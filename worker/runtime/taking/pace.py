"""The pace of one queue: what asks a throttle before each start, and wakes a slot when it is time for the next."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Protocol


class Throttle(Protocol):
    """What decides when one more may start: a ramp, or a probe. Times are those of the loop."""

    share: float

    def delay(self, now: float, running: int) -> float:
        """Seconds until one more may start while ``running`` do; infinite while one of them must finish first."""
        ...

    def started(self, now: float) -> None:
        """Note that one starts."""
        ...

    def finished(self, now: float, *, well: bool) -> None:
        """Note how a handler ended."""
        ...

    def left(self) -> None:
        """Note that one that had started is settled, whether or not a handler was called."""
        ...

    def over(self, now: float) -> bool:
        """Whether it is not needed any more."""
        ...


class Pace:
    """As fast as slots are free, or as a throttle allows while there is one.

    Args:
        wake: lets a free slot look for work.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self.throttle: Throttle | None = None
        self._wake = wake
        self._due: asyncio.TimerHandle | None = None

    def limit(self, throttle: Throttle | None) -> None:
        """Go by another throttle from now on, or by none; slots look anew, as the one before may have held all back."""
        if throttle is not self.throttle:
            self.throttle = throttle
            self._wake()

    def allows(self, running: int) -> bool:
        """Whether one more may start now while ``running`` do; if not, a slot is woken in time."""
        if self.throttle is None:
            return True
        loop = asyncio.get_running_loop()
        delay = self.throttle.delay(loop.time(), running)
        if delay <= 0.0:
            return True
        if delay != math.inf and self._due is None:
            self._due = loop.call_later(delay, self._look)
        return False

    def started(self) -> None:
        """Note that one starts."""
        if self.throttle is not None:
            self.throttle.started(asyncio.get_running_loop().time())

    def ended(self, *, well: bool) -> None:
        """Note how a handler ended."""
        if self.throttle is not None:
            self.throttle.finished(asyncio.get_running_loop().time(), well=well)

    def left(self) -> None:
        """Note that one that had started is settled."""
        if self.throttle is not None:
            self.throttle.left()

    def _look(self) -> None:
        self._due = None
        self._wake()
