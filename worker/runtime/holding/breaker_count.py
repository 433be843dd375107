"""One breaker's failures in one worker process: counted, until there are too many."""

from __future__ import annotations

from collections import deque

from worker.messaging.breaker import Breaker

_REMEMBERED = 10_000
"""Calls, and messages with their excuses, that are remembered."""


class BreakerCount:
    """Counts what opens a breaker. That it is open is stored for the fleet, not here.

    Args:
        name: of the breaker.
        breaker: its declaration.
        types: that it holds.
    """

    def __init__(self, name: str, breaker: Breaker, types: tuple[str, ...]) -> None:
        self.name = name
        self.breaker = breaker
        self.types = types
        self._row = 0
        self._calls: deque[tuple[float, bool]] = deque(maxlen=_REMEMBERED)
        self._excused: dict[str, int] = {}

    def succeeded(self, now: float) -> None:
        """Note that a call went well."""
        self._row = 0
        if self.breaker.rate is not None:
            self._calls.append((now, True))

    def failed(self, now: float) -> bool:
        """Note a failure, and say whether there were too many by now."""
        self._row += 1
        if self._row >= self.breaker.failures:
            return True
        if self.breaker.rate is None:
            return False
        self._calls.append((now, False))
        while self._calls[0][0] <= now - self.breaker.window:
            self._calls.popleft()
        failures = sum(not well for _, well in self._calls)
        return failures >= self.breaker.failures and failures >= self.breaker.rate * len(self._calls)

    def excuses(self, message_id: str) -> bool:
        """Whether a failure is not charged to its message: the first few, as long as it is open whose fault it is."""
        count = self._excused.pop(message_id, 0)
        if count >= self.breaker.failures:
            return False
        self._excused[message_id] = count + 1
        if len(self._excused) > _REMEMBERED:
            del self._excused[next(iter(self._excused))]
        return True

    def reset(self) -> None:
        """Count anew."""
        self._row = 0
        self._calls.clear()
        self._excused.clear()
