"""A clock that tests move, in place of sleeping."""

from __future__ import annotations


class Clock:
    """Seconds since the epoch; stands still until it is moved."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self.now = start
        self._stepped = 0.0

    def __call__(self) -> float:
        return self.now + self._stepped

    def monotonic(self) -> float:
        """The same without its steps."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def step(self, seconds: float) -> None:
        """Set it forward, or back, without that time has passed."""
        self._stepped += seconds
