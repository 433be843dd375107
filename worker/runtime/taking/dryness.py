"""Dryness: whether nothing is left for a burst, in any queue, nor on its way to one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from worker.errors import Unavailable
from worker.runtime.taking.consumer import Consumer

log = structlog.stdlib.get_logger("worker.burst")


class Dryness:
    """Finds out whether all is done. Handled messages may send others, and what they send may be on its way.

    The look that decides is the last one: no receive is begun behind it. What one brought while the worker ends would go
    back to its queue, where others that share it may have looked before, for the last time.

    Args:
        pending: counts what is still to be sent to queues; None where nothing ever is.
    """

    def __init__(self, pending: Callable[[], Awaitable[int]] | None) -> None:
        self._pending = pending
        self._last: int | None = None
        self._looks = 0

    def epoch(self, consumers: Sequence[Consumer]) -> int:
        """A number that grows with each message that is done with, and may have sent others, and with each new look."""
        return self._looks + sum(consumer.taken - consumer.in_hand for consumer in consumers)

    async def sure(self, consumers: Sequence[Consumer]) -> bool:
        """Whether every queue was found empty, and once more after nothing was about to be sent to them."""
        if self._last is not None and not self._still(consumers):
            self._go_on(consumers)
        if not self._dry(consumers):
            return False
        if not await self._nothing_pending():
            self._go_on(consumers)
            return False
        if not self._dry(consumers):  # messages may have come while it was asked what is still to be sent
            return False
        if self._last is None:
            self._looks += 1
            self._last = self.epoch(consumers)
            for consumer in consumers:
                consumer.fetching.rest()
            if not self._dry(consumers):  # all that is not paused is looked at once more
                return False
        return all(consumer.fetching.rests for consumer in consumers)

    def _still(self, consumers: Sequence[Consumer]) -> bool:
        """Whether nothing has come since the last look began, no consumer either."""
        return self._last == self.epoch(consumers) and all(
            one.idle and one.fetching.resting for one in consumers
        )

    def _go_on(self, consumers: Sequence[Consumer]) -> None:
        """The last look was none."""
        self._last = None
        for consumer in consumers:
            consumer.fetching.go_on()

    def _dry(self, consumers: Sequence[Consumer]) -> bool:
        """Whether every queue was found empty after the last message was done with."""
        epoch = self.epoch(consumers)
        return all(consumer.dry(epoch) for consumer in consumers)

    async def _nothing_pending(self) -> bool:
        try:
            return self._pending is None or not await self._pending()
        except Unavailable as error:
            log.warning("cannot tell whether anything is left to send", error=str(error))
            return False
