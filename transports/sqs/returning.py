"""Gives back to the service what is not wanted here, in an order that keeps the order of each group."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from transports.sqs.acknowledging import Acknowledger
from transports.sqs.receipt import Receipt
from worker.messaging.transport import Delivery, Settled


class Returning:
    """Gives deliveries back, for other consumers.

    Args:
        acknowledger: tells the service.
    """

    def __init__(self, acknowledger: Acknowledger) -> None:
        self._acknowledger = acknowledger
        self._under_way: set[asyncio.Future[Settled]] = set()

    def one(self, delivery: Delivery, seconds: int = 0) -> asyncio.Future[Settled]:
        """Give it back, hidden for ``seconds``, and first what waits behind it: so the service keeps their order."""
        receipt: Receipt = delivery.receipt
        receipt.settled = True
        behind, receipt.behind = receipt.behind, None
        self.all(behind or ())
        longest = int(receipt.room(asyncio.get_running_loop().time()))
        giving = self._acknowledger.give_back(receipt, max(0, min(seconds, longest)))
        self._under_way.add(giving)
        giving.add_done_callback(self._under_way.discard)
        return giving

    def all(self, deliveries: Iterable[Delivery]) -> None:
        """Give them back, to be received at once."""
        for delivery in deliveries:
            self.one(delivery)

    async def finish(self) -> None:
        """Wait until all are back."""
        if self._under_way:
            await asyncio.wait(set(self._under_way))
