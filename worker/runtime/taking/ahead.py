"""How many of a queue's messages are taken ahead of the slots: it follows the handlers' speed."""

from __future__ import annotations

MAX_PREFETCH = 512
"""Messages of one queue that a process holds at most beyond what runs."""

_QUICK = 0.05
"""Seconds within which a batch that is gone was too small."""
_SLOW = 0.5
"""Seconds after which a batch that is gone was too large."""


class Ahead:
    """Twice as many when a batch is gone in no time, fewer when it lies about.

    So quick handlers never wait for the broker, and slow ones do not hoard.

    Args:
        slots: handlers that run at once: as many are taken at least.

    Attributes:
        limit: messages that are taken ahead at most.
    """

    __slots__ = ("_most", "_slots", "limit")

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._most = max(MAX_PREFETCH, slots)
        self.limit = slots

    def used_up(self, lasted: float, *, full: bool) -> None:
        """Adapt to a batch that lasted so many seconds; ``full``: it brought all that was asked for."""
        if lasted < _QUICK and full:
            self.limit = min(self.limit * 2, self._most)
        elif lasted > _SLOW:
            self.limit = max(self.limit // 2, self._slots)
