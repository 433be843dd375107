"""The retry policy: pure arithmetic and one decision; nothing here waits or sends."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from worker.errors import Recoverable, Unrecoverable


class Retry(msgspec.Struct, frozen=True):
    """How often and how late a failed message is tried again.

    The delay before retry ``n`` (from 1) is ``delay × multiplier^(n-1)``, at most ``max_delay``, then
    lengthened by up to ``jitter`` of itself; never shortened.

    Attributes:
        max_retries: retries after the first attempt; 0 for none.
        delay: seconds before the first retry.
        multiplier: growth from one retry to the next.
        max_delay: seconds; the cap before jitter.
        jitter: share of the delay, 0 to 1.
    """

    max_retries: int = 3
    delay: float = 1.0
    multiplier: float = 2.0
    max_delay: float = 3600.0
    jitter: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            ValueError: names the field, its value and what is expected.
        """
        if not self.max_retries >= 0:
            raise ValueError(f"Retry(max_retries={self.max_retries}): expected 0 or more")
        if not (self.delay >= 0 and self.max_delay >= 0):
            raise ValueError(
                f"Retry(delay={self.delay}, max_delay={self.max_delay}): expected seconds, 0 or more"
            )
        if not self.multiplier >= 1:
            raise ValueError(f"Retry(multiplier={self.multiplier}): expected 1 or more")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"Retry(jitter={self.jitter}): expected 0 to 1")

    def delay_before(self, retry: int, chance: float = 0.0) -> float:
        """Seconds to wait before retry ``retry`` (from 1); ``chance`` in [0, 1) places it within the jitter."""
        try:
            base = self.delay * self.multiplier ** (retry - 1)
        except OverflowError:
            base = self.max_delay if self.delay else 0.0
        return min(base, self.max_delay) * (1 + self.jitter * chance)


class Again(msgspec.Struct, frozen=True):
    """Try again, after ``delay`` seconds."""

    delay: float


class GiveUp(msgspec.Struct, frozen=True):
    """To the failure store."""


Decision = Again | GiveUp
Chance = Callable[[], float]


def decide(error: BaseException, attempt: int, policy: Retry, chance: Chance = random.random) -> Decision:
    """Say what becomes of a message whose attempt ``attempt`` (from 1) ended in ``error``."""
    if isinstance(error, Recoverable):
        return Again(policy.delay_before(attempt, chance()) if error.delay is None else max(0.0, error.delay))
    if isinstance(error, Unrecoverable) or attempt > policy.max_retries:
        return GiveUp()
    return Again(policy.delay_before(attempt, chance()))
