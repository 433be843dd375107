"""A steady clock: it goes on evenly while the wall clock is set forward or back.

Leases, delays and signs of life are lengths of time. Measured by a wall clock that is set forward by an hour every
lease would be over, and set back nothing would be due for an hour. So they are measured by the wall clock plus a
*skew*, which makes up for its steps: they are seen by a monotonic clock beside it. Whoever shares a wall clock and
something stored keeps the skew in what is stored, so that all agree on the time, also those that start later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

STEP = 1.0
"""Seconds from which on a change of the wall clock counts as a step; smaller ones are followed."""

_TOGETHER = 0.05
"""Seconds within which two clocks must be read to be read at the same time."""


class SteadyClock:
    """Seconds since the epoch, about; never further from even than ``STEP``. Safe in several threads.

    Args:
        wall: seconds since the epoch. Where it has a ``monotonic`` of its own, or is no real clock, that holds.

    Attributes:
        skew: what is added to the wall clock.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self.skew = 0.0
        self._wall = wall
        self._monotonic: Callable[[], float] = (
            _even if wall is time.time else getattr(wall, "monotonic", wall)
        )
        self._lock = threading.Lock()
        self._ahead = self._difference()
        self._stepped = False

    def __call__(self) -> float:
        """Return the time."""
        ahead = self._difference()
        if ahead != self._ahead:
            if abs(ahead - self._ahead) < STEP:
                self._ahead = ahead
            else:
                self._step(ahead)
        return self._monotonic() + self._ahead + self.skew

    def reconcile(self, stored: float) -> float | None:
        """Take over the skew that is stored, or return the one to be stored in its place: here a step was seen first."""
        self()
        if not self._stepped or abs(stored - self.skew) < STEP:
            self.skew = stored
            self._stepped = False
            return None
        return self.skew

    @property
    def stepped(self) -> bool:
        """Whether a step was seen that may not be stored yet."""
        return self._stepped

    def _step(self, ahead: float) -> None:
        with self._lock:
            self.skew -= ahead - self._ahead
            self._ahead = ahead
            self._stepped = True

    def _difference(self) -> float:
        """How far the wall clock is ahead of the monotonic one, read at the same time: a process may be stopped between."""
        while True:
            before = self._monotonic()
            ahead = self._wall() - before
            if self._monotonic() - before < _TOGETHER:
                return ahead


def monotonic_of(wall: Callable[[], float]) -> Callable[[], float]:
    """Return what goes on evenly beside a wall clock; a clock without such a thing is never set, only moved on."""
    even: Callable[[], float] = _even if wall is time.time else getattr(wall, "monotonic", wall)
    return even


def _even() -> float:
    """Seconds since the machine was started, its sleep included where the system tells; alike in all its processes."""
    return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()


_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
