"""A probe: lets one message start while a breaker is open, and waits for how it ends."""

from __future__ import annotations

from collections.abc import Callable


class Probe:
    """Stands where a ramp stands, for all queues that a breaker holds.

    Args:
        ended: told once how the message ended.
    """

    def __init__(self, ended: Callable[[bool], None]) -> None:
        self.share = 1.0
        self.running = False
        self._ended: Callable[[bool], None] | None = ended

    def delay(self, now: float, running: int) -> float:
        """Seconds until a message may start: none for the first, infinite for all others."""
        return float("inf") if self.running or self._ended is None else 0.0

    def started(self, now: float) -> None:
        """Note that it starts."""
        self.running = True

    def finished(self, now: float, *, well: bool) -> None:
        """Note how it ended."""
        self.running = False
        if self._ended is not None:
            ended, self._ended = self._ended, None
            ended(well)

    def left(self) -> None:
        """Take another, if this one was settled without having been handled."""
        self.running = False

    def over(self, now: float) -> bool:
        """Never by itself."""
        return False
