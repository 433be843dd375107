"""A steady clock: it goes on evenly while the wall clock is set forward or back.

Leases, delays and signs of life are lengths of time. Measured by a wall clock that is set forward by an hour every
lease would be over, and set back nothing would be due for an hour. So they are measured by the wall clock plus a
*skew*, which makes up for its steps: they are seen by a monotonic clock beside it. Processes that share a wall clock and
something stored keep the skew in what is stored, so that all agree on the time, also those that start later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

STEP = 1.0
"""Seconds from which on a change of the wall clock counts as a step; smaller ones are followed."""

EVERY = 2.0
"""Seconds between two comparisons with a server's clock."""

TRIES = 5
"""How often a comparison is begun anew when another process was faster to correct."""

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
        return difference(self._wall, self._monotonic)


class SharedClock:
    """The time of a server that many machines use: its clock, over its steps and over these machines' sleep.

    Each process goes on from the server's time by its own monotonic clock, and compares the two now and then. Where
    they have come apart by a step, the one who sees it first has a *skew* stored that makes up for it; so processes
    that start later agree with those that were there. Where another process found the server's clock in order moments
    ago, it was this one that stood still.

    Args:
        clock: in place of the server's; None for that.
        recent: seconds for which a clock that was found in order counts as that: longer than between two comparisons.

    Attributes:
        skew: what is stored, as far as it is known.
    """

    def __init__(self, clock: Callable[[], float] | None, recent: float = 2 * EVERY) -> None:
        self.skew = 0.0
        self._recent = recent
        self._wall = clock
        self._monotonic = monotonic_of(clock or time.time)
        self._ahead: float | None = None
        self._due = 0.0

    def __call__(self) -> float:
        """Return the time; that of this machine as long as nothing was compared."""
        ahead = self._ahead
        return (self._wall or time.time)() if ahead is None else self._monotonic() + ahead

    @property
    def known(self) -> bool:
        """Whether it was ever compared."""
        return self._ahead is not None

    def stale(self, now: float) -> bool:
        """Whether it is time to compare; then it is not so for the next caller, as one comparison is enough.

        Args:
            now: seconds on any clock that goes on evenly.
        """
        if now < self._due:
            return False
        self._due = now + EVERY
        return True

    def begin(self) -> float:
        """Begin a comparison: ask the server now, and give this to ``judge``."""
        return self._monotonic()

    def judge(self, begun: float, wall: float, skew: float, seen: float | None) -> Correction:
        """Take the server's answer.

        Args:
            begun: what ``begin`` gave.
            wall: the server's clock.
            skew: what is stored to make up for its steps.
            seen: when, by that clock, it was last found in order; None where nothing can be stored.
        """
        if self._wall is None:
            doubt = (self._monotonic() - begun) / 2
            ahead = wall + skew - (begun + doubt)
        else:  # this machine's, read without asking: however long the answer took, there is no doubt about it
            doubt, lead = 0.0, difference(self._wall, self._monotonic)
            wall, ahead = self._monotonic() + lead, lead + skew
        apart = 0.0 if self._ahead is None else ahead - self._ahead
        stepped = abs(apart) - doubt >= STEP
        if stepped and seen is not None and not 0.0 <= wall - seen <= self._recent:
            return Correction(wall, skew - apart)
        self.skew = skew
        if self._ahead is None or stepped:
            self._ahead = ahead
        else:  # no further than the answer's own inexactness demands
            self._ahead += max(apart - doubt, 0.0) + min(apart + doubt, 0.0)
        return Correction(wall, None)


def difference(wall: Callable[[], float], monotonic: Callable[[], float]) -> float:
    """How far a wall clock is ahead of a monotonic one, read at the same time: a process may be stopped between."""
    while True:
        before = monotonic()
        ahead = wall() - before
        if monotonic() - before < _TOGETHER:
            return ahead


class Correction(NamedTuple):
    """What a comparison came to: the server's clock, and the skew to store before comparing anew; None: all is well."""

    wall: float
    skew: float | None


def monotonic_of(wall: Callable[[], float]) -> Callable[[], float]:
    """Return what goes on evenly beside a wall clock; a clock without such a thing is never set, only moved on."""
    even: Callable[[], float] = _even if wall is time.time else getattr(wall, "monotonic", wall)
    return even


def _even() -> float:
    """Seconds since the machine was started, its sleep included where the system tells; alike in all its processes."""
    return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()


_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
