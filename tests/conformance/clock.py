"""A clock that tests move, in place of sleeping."""

from __future__ import annotations


class Clock:
    """Seconds since the epoch; stands still until it is moved."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self.now = start

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
