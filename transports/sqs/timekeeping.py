"""Keeps the time of the service, from its answers: the clock of this machine may be wrong by hours."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime


class Timekeeper:
    """The service's time; it may be a little behind that, never ahead of it.

    Args:
        clock: seconds since the epoch on this machine, for a service that tells nothing.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead: float | None = None

    def tell(self, now: float, moment: float) -> None:
        """Note that it was ``now``, in seconds since the epoch, at a ``moment`` of the loop's clock."""
        self._ahead = now - moment

    def at(self, moment: float, date: str | None) -> float:
        """Return the time at a ``moment`` of the loop's clock, at which an answer with this ``Date`` came."""
        if self._ahead is None:
            try:
                self._ahead = parsedate_to_datetime(date or "").timestamp() - moment
            except ValueError:
                return self._clock()
        return moment + self._ahead
