"""Settling: what becomes of the deliveries of one queue, and of those that wait behind them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence

from transports.sqs.acknowledging import Acknowledger
from transports.sqs.receipt import Receipt
from transports.sqs.retries import Retries
from transports.sqs.returning import Returning
from worker.messaging.transport import Ack, Again, Delivery, Release, Settled, Settlement

_Answer = asyncio.Future[Settled] | Settled


class Settling:
    """Settles and extends.

    Args:
        holder: the owner of the receipts; deliveries of another owner are not valid.
        lease: seconds of one more lease.
        held: receipts of what is handed out, by the message's id.
        acknowledger: tells the service.
        returning: gives back.
        retries: keeps next attempts in place.
        follow: takes the next of a group whose head is gone.
    """

    def __init__(
        self,
        holder: object,
        lease: float,
        held: dict[str, Receipt],
        acknowledger: Acknowledger,
        returning: Returning,
        retries: Retries,
        follow: Callable[[Delivery], None],
    ) -> None:
        self._holder = holder
        self._lease = lease
        self._held = held
        self._acknowledger = acknowledger
        self._returning = returning
        self._retries = retries
        self._follow = follow

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        """Settle, together with what else is settled meanwhile; the future never raises."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        return loop.create_task(_all([self._begin(item, now) for item in items]))

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them, and what waits behind them, for another lease; UNKNOWN where the service does not answer."""
        now = asyncio.get_running_loop().time()
        begun: list[_Answer] = []
        for delivery in deliveries:
            receipt = self.valid(delivery, now)
            begun.append(Settled.LOST if receipt is None else self._acknowledger.extend(receipt, self._lease))
            for successor in () if receipt is None or receipt.behind is None else receipt.behind:
                self._acknowledger.extend(successor.receipt, self._lease)
        answers = await _all(begun)
        for delivery, answer in zip(deliveries, answers, strict=True):
            if answer is Settled.LOST and isinstance(receipt := delivery.receipt, Receipt):
                self._end(delivery, receipt)
        return answers

    def valid(self, delivery: Delivery, now: float) -> Receipt | None:
        """Return a delivery's receipt while it may still be settled here, else None; ``now`` is the loop's time."""
        receipt = delivery.receipt
        if not isinstance(receipt, Receipt) or receipt.owner is not self._holder or receipt.settled:
            return None
        return receipt if receipt.until > now else None

    def _begin(self, item: Settlement, now: float) -> _Answer:
        delivery = item.delivery
        receipt = self.valid(delivery, now)
        if receipt is None:
            return Settled.LOST
        if isinstance(item, Again):
            return self._again(item, receipt)
        self._end(delivery, receipt)
        if isinstance(item, Release):
            return self._returning.one(delivery, math.ceil(item.delay))
        assert isinstance(item, Ack)
        removing = self._acknowledger.remove(receipt)
        if receipt.behind:
            removing.add_done_callback(lambda done: self._advance(receipt, done))
        return removing

    def _again(self, item: Again, receipt: Receipt) -> _Answer:
        """Let the next attempt wait in place; what came behind it goes back and waits at the service."""
        delivery, outgoing = item.delivery, item.outgoing
        if receipt.behind is None or (outgoing.queue, outgoing.key) != (delivery.queue, delivery.key):
            return Settled.UNKNOWN  # not what Features.retries_in_place promises; it comes back
        self._end(delivery, receipt)
        behind, receipt.behind = receipt.behind, None
        self._returning.all(behind)
        return asyncio.get_running_loop().create_task(self._retries.keep(item, receipt))

    def _end(self, delivery: Delivery, receipt: Receipt) -> None:
        receipt.settled = True
        if self._held.get(delivery.id) is receipt:
            del self._held[delivery.id]

    def _advance(self, receipt: Receipt, done: asyncio.Future[Settled]) -> None:
        """Offer the next message of a group whose head was removed; where it was not removed, give all of them back."""
        behind, receipt.behind = receipt.behind, None
        if not behind:
            return
        if done.cancelled() or done.exception() is not None or done.result() is not Settled.DONE:
            self._returning.all(behind)
            return
        head = behind.popleft()
        head.receipt.behind = behind
        self._follow(head)


async def _all(begun: Sequence[_Answer]) -> Sequence[Settled]:
    return [answer if isinstance(answer, Settled) else await answer for answer in begun]
