"""The ramp: how fast a queue's backlog is worked off after a pause, so that what recovers is not flattened by it."""

from __future__ import annotations

from collections import deque

import msgspec

_SECOND = 1.0
_BURST = 0.05
"""Seconds of the rate that may be started at once, so that late timers cost nothing."""

_GROWTH = 0.1
"""Share of itself that the rate gains in a second where that is more than the policy's step."""

_BACK = 0.5
"""Share of the ceiling that the rate regains in a second after it was halved."""

_BELOW, _NEAR, _CREEP = 0.9, 0.95, 0.01
"""Shares of the ceiling: regained at once, crept up to, and crept in a second."""

_PATIENCE, _LONGEST = 60.0, 600.0
"""Seconds without trouble before a ceiling is tried again, at first and at most."""

_COLLAPSE = 0.75
"""Trouble below this share of the ceiling says that it was none: what is called is down."""

_FREE = 5.0
"""Seconds without holding anything back after which a ramp is over."""


class RampPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a fleet takes up work again.

    Attributes:
        enabled: whether it does so step by step at all.
        after: seconds that a pause must have lasted.
        rate: messages of a queue that the fleet starts in the first second, and how many more in each further one.
        tolerance: share of messages that may fail in a second without being taken for trouble.
    """

    enabled: bool = True
    after: float = 60.0
    rate: float = 30.0
    tolerance: float = 0.02


class Ramp:
    """Additive increase, multiplicative decrease, of one queue's messages in one worker.

    Two things grow from small: how many run at once (by one for each round of them that goes well), and how many
    start in a second. Both are halved when messages fail. The rate at which that happened is remembered as a
    ceiling: the rate returns to just below, and tries more only much later.

    Args:
        policy: of the fleet.
        now: seconds, of the same clock as everywhere.
        share: this worker's part of the fleet's rate.
    """

    def __init__(self, policy: RampPolicy, now: float, share: float = 1.0) -> None:
        self.window = 1.0
        self.rate = policy.rate
        self.ceiling: float | None = None
        self.share = share
        self._policy = policy
        self._tokens = 1.0
        self._at = now
        self._cut_at = now - _SECOND
        self._patience = _PATIENCE
        self._bound_at = now
        self._starts: deque[float] = deque()
        self._failures: deque[float] = deque()

    def delay(self, now: float, running: int) -> float:
        """Seconds until one more may start while ``running`` do; infinite while one of them must finish first."""
        self._pass(now)
        if running >= int(self.window):
            self._bound_at = now
            return float("inf")
        if self._tokens >= 1.0:
            return 0.0
        self._bound_at = now
        return (1.0 - self._tokens) / (self.rate * self.share)

    def started(self, now: float) -> None:
        """Note that one starts."""
        self._pass(now)
        self._tokens -= 1.0
        self._starts.append(now)

    def finished(self, now: float, *, well: bool) -> None:
        """Note how one ended."""
        self._pass(now)
        if well:
            self.window += 1.0 / self.window
            return
        self._failures.append(now)
        self._forget(now)
        if len(self._failures) > self._policy.tolerance * len(self._starts) and now - self._cut_at >= _SECOND:
            self._cut(now)

    def left(self) -> None:
        """Nothing that matters: how it ended does."""

    def over(self, now: float) -> bool:
        """Whether it has held nothing back for a while, and is not needed any more."""
        return now - self._bound_at >= _FREE

    def _cut(self, now: float) -> None:
        reached = min(self.rate, max(len(self._starts) / _SECOND / self.share, 1.0))
        down = 2 * len(self._failures) > len(self._starts)
        if self.ceiling is not None:
            down = reached < _COLLAPSE * self.ceiling
        if down:
            self.ceiling = None
        else:
            if self.ceiling is not None:
                self._patience = min(self._patience * 2, _LONGEST)
            self.ceiling = reached
        self.rate = max(reached / 2, 1.0)
        self.window = max(self.window / 2, 1.0)
        self._tokens = min(self._tokens, 0.0)
        self._cut_at = now
        self._failures.clear()

    def _pass(self, now: float) -> None:
        """Let time pass: tokens come in, and the rate grows while it is made use of."""
        passed = now - self._at
        if passed <= 0.0:
            return
        self._at = now
        burst = max(1.0, self.rate * self.share * _BURST)
        self._tokens += passed * self.rate * self.share
        self._tokens = min(self._tokens, burst)
        if now - self._bound_at < _SECOND:
            self._grow(min(passed, _SECOND), now)

    def _grow(self, passed: float, now: float) -> None:
        if now - self._cut_at < _SECOND:  # what fails now was started before
            return
        if self.ceiling is None:
            self.rate += max(self._policy.rate, _GROWTH * self.rate) * passed
        elif self.rate < _BELOW * self.ceiling:
            self.rate = min(self.rate + _BACK * self.ceiling * passed, _BELOW * self.ceiling)
        elif self.rate < _NEAR * self.ceiling or now - self._cut_at >= self._patience:
            self.rate += _CREEP * self.ceiling * passed
            if self.rate > self.ceiling * 1.1:
                self.ceiling = None

    def _forget(self, now: float) -> None:
        for times in (self._starts, self._failures):
            while times and times[0] <= now - _SECOND:
                times.popleft()
