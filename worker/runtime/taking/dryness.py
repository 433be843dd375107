"""Dryness: whether nothing is left for a burst, in any queue, nor on its way to one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from worker.errors import Unavailable
from worker.runtime.taking.consumer import Consumer

log = structlog.stdlib.get_logger("worker.burst")


class Dryness:
    """Finds out whether all is done. Handled messages may send others, and what they send may be on its way.

    Args:
        pending: counts what is still to be sent to queues; None where nothing ever is.
    """

    def __init__(self, pending: Callable[[], Awaitable[int]] | None) -> None:
        self._pending = pending
        self._confirmed: int | None = None
        self._looks = 0

    def epoch(self, consumers: Sequence[Consumer]) -> int:
        """A number that grows with each message that is done with, and may have sent others, and with each new look."""
        return self._looks + sum(consumer.taken - consumer.in_hand for consumer in consumers)

    async def sure(self, consumers: Sequence[Consumer]) -> bool:
        """Whether every queue was found empty, and once more after nothing was about to be sent to them."""
        # dry once more: messages may have come while it was asked what is still to be sent
        return self._dry(consumers) and await self._confirms(consumers) and self._dry(consumers)

    def _dry(self, consumers: Sequence[Consumer]) -> bool:
        """Whether every queue was found empty after the last message was done with."""
        epoch = self.epoch(consumers)
        return all(consumer.dry(epoch) for consumer in consumers)

    async def _confirms(self, consumers: Sequence[Consumer]) -> bool:
        """Whether queues were found empty once more after nothing was about to be sent to them."""
        try:
            if self._pending is not None and await self._pending():
                return False
        except Unavailable as error:
            log.warning("cannot tell whether anything is left to send", error=str(error))
            return False
        if self._confirmed == self.epoch(consumers):
            return True
        self._looks += 1
        self._confirmed = self.epoch(consumers)
        return False
