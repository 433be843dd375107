"""The retry policy: pure arithmetic and one decision; nothing here waits or sends."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

import msgspec

from worker.errors import Recoverable, Unrecoverable, UsageError
from worker.seconds import is_number, seconds_of


class Retry(msgspec.Struct, frozen=True):
    """How often and how late a failed message is tried again.

    The delay before retry ``n`` (from 1) is ``delay × multiplier^(n-1)``, at most ``max_delay``, then
    lengthened by up to ``jitter`` of itself; never shortened.

    Attributes:
        max_retries: retries after the first attempt; 0 for none.
        delay: seconds before the first retry; a ``timedelta`` is read as its seconds.
        multiplier: growth from one retry to the next.
        max_delay: seconds or ``timedelta``; the cap before jitter.
        jitter: share of the delay, 0 to 1.
    """

    max_retries: int = 3
    delay: float | timedelta = 1.0
    multiplier: float = 2.0
    max_delay: float | timedelta = 3600.0
    jitter: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            ValueError: names the field, its value and what is expected.
        """
        if not (is_number(self.max_retries, int) and self.max_retries >= 0):
            raise ValueError(f"Retry(max_retries={self.max_retries!r}): expected a whole number, 0 or more")
        for name in ("delay", "max_delay"):
            try:
                msgspec.structs.force_setattr(self, name, seconds_of(getattr(self, name)))
            except ValueError as error:
                raise ValueError(f"Retry({name}={error})") from None
        if not (is_number(self.multiplier) and 1 <= self.multiplier < math.inf):
            raise ValueError(f"Retry(multiplier={self.multiplier!r}): expected a finite number, 1 or more")
        if not (is_number(self.jitter) and 0 <= self.jitter <= 1):
            raise ValueError(f"Retry(jitter={self.jitter!r}): expected a number, 0 to 1")

    def delay_before(self, retry: int, chance: float = 0.0) -> float:
        """Seconds to wait before retry ``retry`` (from 1); ``chance`` in [0, 1) places it within the jitter."""
        first, most = seconds_of(self.delay), seconds_of(self.max_delay)
        try:
            base = first * self.multiplier ** (retry - 1)
        except OverflowError:
            base = most if first else 0.0
        return min(base, most) * (1 + self.jitter * chance)


class TryAgain(msgspec.Struct, frozen=True):
    """Try again, after ``delay`` seconds."""

    delay: float


class GiveUp(msgspec.Struct, frozen=True):
    """To the failure store."""


Decision = TryAgain | GiveUp
Chance = Callable[[], float]


def decide(error: BaseException, attempt: int, policy: Retry, chance: Chance) -> Decision:
    """Say what becomes of a message whose attempt ``attempt`` (from 1) ended in ``error``.

    Raises:
        UsageError: ``error`` asks for a delay that is none.
    """
    if isinstance(error, Recoverable):
        # a class of the application's own may have set anything, or nothing
        asked = getattr(error, "delay", None)
        try:
            return TryAgain(policy.delay_before(attempt, chance()) if asked is None else seconds_of(asked))
        except ValueError as wrong:
            raise UsageError(f"{type(error).__name__}(delay={wrong})") from error
    if isinstance(error, Unrecoverable | UsageError) or attempt > policy.max_retries:
        return GiveUp()
    return TryAgain(policy.delay_before(attempt, chance()))
