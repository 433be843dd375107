"""Settling: what becomes of the deliveries of one queue, and of those that wait behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

from transports.pubsub.copying import Copying
from transports.pubsub.prefetched import Prefetched
from transports.pubsub.receipt import Acknowledges, Era, Receipt
from worker.messaging.transport import Ack, Delivery, Release, Settled, Settlement

Until = Callable[[float], float]
"""Says until when a lease that began at a time surely holds; both in seconds of the loop."""


class Settling:
    """Settles and extends.

    Args:
        prefetched: knows what waits behind what is settled.
        era: this opening of the transport.
        copying: forgets the copies of what is done with.
        lease: seconds of one more lease.
        until: tells when it ends.
    """

    def __init__(
        self, prefetched: Prefetched, era: Era, copying: Copying, lease: float, until: Until
    ) -> None:
        self._prefetched = prefetched
        self._era = era
        self._copying = copying
        self._lease = lease
        self._until = until

    def begin(self, items: Sequence[Settlement], answers: list[Settled]) -> Coroutine[Any, Any, None] | None:
        """Take the right to settle what is still held here; return the work left, which fills in the answers, or None."""
        now = self._era.now()
        acks: list[int] = []
        releases: dict[float, list[int]] = {}
        lost: list[Delivery] = []
        for place, item in enumerate(items):
            delivery = item.delivery
            if not self._claims(delivery, now):
                if _lapsed(delivery, now):
                    lost.append(delivery)
            elif isinstance(item, Ack):
                acks.append(place)
            elif isinstance(item, Release):
                releases.setdefault(item.delay, []).append(place)
            else:
                delivery.receipt.settled = False
                answers[place] = Settled.UNKNOWN  # not replaced here; it comes back
        behind = self._prefetched.back(lost)
        return self._settle(items, acks, releases, behind, answers) if acks or releases or behind else None

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them, and what waits behind them, for another lease; LOST where another consumer may have them by now."""
        now = self._era.now()
        ours = [each for each in deliveries if self._is_ours(each, now)]
        behind = [each for each in self._prefetched.behind(ours) if self._is_ours(each, now)]
        receipts: list[Receipt] = [delivery.receipt for delivery in (*ours, *behind)]
        answers: dict[Receipt, Settled] = {}
        if receipts:
            told = await postpone(receipts, self._lease)
            for receipt, answer in zip(receipts, told, strict=True):
                answers[receipt] = answer
                if answer is Settled.DONE:
                    receipt.until = self._until(now)
                elif answer is Settled.LOST:
                    receipt.until = 0.0
        return [answers.get(delivery.receipt, Settled.LOST) for delivery in deliveries]

    def give_back(self, deliveries: Iterable[Delivery]) -> Coroutine[Any, Any, Any] | None:
        """Return the work that gives back those of them that are still held here; None where none is."""
        receipts = self._claimed(deliveries)
        return postpone(receipts, 0.0) if receipts else None

    def _claimed(self, deliveries: Iterable[Delivery]) -> list[Receipt]:
        now = self._era.now()
        return [delivery.receipt for delivery in deliveries if self._claims(delivery, now)]

    def _claims(self, delivery: Delivery, now: float) -> bool:
        """Take the right to settle a delivery: True once only, and only while it is held here."""
        if not self._is_ours(delivery, now):
            return False
        delivery.receipt.settled = True
        return True

    def _is_ours(self, delivery: Delivery, now: float) -> bool:
        receipt = delivery.receipt
        return (
            isinstance(receipt, Receipt)
            and receipt.era is self._era
            and self._era.open
            and not receipt.settled
            and not receipt.lost(now)
        )

    async def _settle(
        self,
        items: Sequence[Settlement],
        acks: Sequence[int],
        releases: dict[float, list[int]],
        behind: Sequence[Delivery],
        answers: list[Settled],
    ) -> None:
        if (returning := self.give_back(behind)) is not None:
            await returning
        if acks:
            await self._acknowledge(items, acks, answers)
        for delay, places in releases.items():
            await self._release(items, places, delay, answers)

    async def _acknowledge(
        self, items: Sequence[Settlement], places: Sequence[int], answers: list[Settled]
    ) -> None:
        deliveries = [items[place].delivery for place in places]
        receipts = [delivery.receipt for delivery in deliveries]
        if await self._copying.done(deliveries):
            told = await _by_acknowledger(receipts, lambda acknowledger, some: acknowledger.acknowledge(some))
        else:
            told = [Settled.UNKNOWN] * len(receipts)  # its copy would bring it back later than its lease does
        now = self._era.now()
        broken: list[Delivery] = []
        for place, delivery, answer in zip(places, deliveries, told, strict=True):
            answers[place] = answer
            if answer is Settled.DONE:
                broken += self._prefetched.done(delivery, now)
                continue
            if answer is Settled.UNKNOWN:
                delivery.receipt.settled = False
            broken += self._prefetched.back([delivery])
        if (returning := self.give_back(broken)) is not None:
            await returning

    async def _release(
        self, items: Sequence[Settlement], places: Sequence[int], delay: float, answers: list[Settled]
    ) -> None:
        deliveries = [items[place].delivery for place in places]
        receipts = [delivery.receipt for delivery in deliveries]
        following = self._claimed(self._prefetched.back(deliveries))
        if delay > 0:
            told = await postpone(receipts, delay)
            if following:
                await postpone(following, delay)
        else:
            told = (await postpone([*receipts, *following], 0.0))[: len(receipts)]
        for place, receipt, answer in zip(places, receipts, told, strict=True):
            answers[place] = answer
            if answer is Settled.UNKNOWN:
                receipt.settled = False


def _lapsed(delivery: Delivery, now: float) -> bool:
    """Whether its lease was over before it was settled."""
    receipt = delivery.receipt
    return isinstance(receipt, Receipt) and not receipt.settled and receipt.lost(now)


async def postpone(receipts: Sequence[Receipt], delay: float) -> list[Settled]:
    """Hand them out again after ``delay`` seconds."""
    return await _by_acknowledger(receipts, lambda acknowledger, some: acknowledger.postpone(some, delay))


async def _by_acknowledger(
    receipts: Sequence[Receipt], ask: Callable[[Acknowledges, Sequence[Receipt]], Awaitable[list[Settled]]]
) -> list[Settled]:
    """Ask each receipt's own acknowledger; nearly always all have the same."""
    parts: dict[Acknowledges, list[int]] = {}
    for place, receipt in enumerate(receipts):
        parts.setdefault(receipt.acknowledger, []).append(place)
    answers = [Settled.UNKNOWN] * len(receipts)
    for acknowledger, places in parts.items():
        told = await ask(acknowledger, [receipts[place] for place in places])
        for place, answer in zip(places, told, strict=True):
            answers[place] = answer
    return answers
