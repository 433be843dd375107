"""Settling: what becomes of the deliveries of one queue, and of those that wait behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

from transports.pubsub.arrivals import Arrivals
from transports.pubsub.copying import Copying
from transports.pubsub.holding import Acknowledges, Era, Hold
from worker.messaging.transport import Ack, Delivery, Release, Settled, Settlement

Until = Callable[[float], float]
"""Until when a lease that began then is surely ours, seconds of the loop."""


class Settling:
    """Settles and extends.

    Args:
        arrivals: what waits behind what is settled.
        era: this opening of the transport.
        copying: forgets the copies of what is done with.
        lease: seconds of one more lease.
        until: tells when it ends.
    """

    def __init__(self, arrivals: Arrivals, era: Era, copying: Copying, lease: float, until: Until) -> None:
        self._arrivals = arrivals
        self._era = era
        self._copying = copying
        self._lease = lease
        self._until = until

    def begin(self, items: Sequence[Settlement], answers: list[Settled]) -> Coroutine[Any, Any, None] | None:
        """Claim what is ours; return what is to be done then, which fills in the answers; None for nothing."""
        acks: list[int] = []
        releases: dict[float, list[int]] = {}
        for place, item in enumerate(items):
            if not self.claims(item.delivery):
                continue
            if isinstance(item, Ack):
                acks.append(place)
            elif isinstance(item, Release):
                releases.setdefault(item.delay, []).append(place)
            else:
                item.delivery.receipt.settled = False
                answers[place] = Settled.UNKNOWN  # not replaced here; it comes back
        return self._settle(items, acks, releases, answers) if acks or releases else None

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them, and what waits behind them, for another lease; LOST where somebody else may have them by now."""
        ours = [each for each in deliveries if self._is_ours(each)]
        behind = [each for each in self._arrivals.behind(ours) if self._is_ours(each)]
        holds: list[Hold] = [delivery.receipt for delivery in (*ours, *behind)]
        answers: dict[Hold, Settled] = {}
        if holds:
            since = self._era.now()
            told = await postpone(holds, self._lease)
            for hold, answer in zip(holds, told, strict=True):
                answers[hold] = answer
                if answer is Settled.DONE:
                    hold.expires = self._until(since)
                elif answer is Settled.LOST:
                    hold.expires = 0.0
        return [answers.get(delivery.receipt, Settled.LOST) for delivery in deliveries]

    def give_back(self, deliveries: Iterable[Delivery]) -> Coroutine[Any, Any, Any] | None:
        """Return what hands those of them out again that are ours; None where none is."""
        holds = [delivery.receipt for delivery in deliveries if self.claims(delivery)]
        return postpone(holds, 0.0) if holds else None

    def claims(self, delivery: Delivery) -> bool:
        """Take the right to settle a delivery, which is there once."""
        if not self._is_ours(delivery):
            return False
        delivery.receipt.settled = True
        return True

    def _is_ours(self, delivery: Delivery) -> bool:
        hold = delivery.receipt
        return (
            isinstance(hold, Hold)
            and hold.era is self._era
            and self._era.open
            and not hold.settled
            and not hold.lost
        )

    async def _settle(
        self,
        items: Sequence[Settlement],
        acks: Sequence[int],
        releases: dict[float, list[int]],
        answers: list[Settled],
    ) -> None:
        if acks:
            await self._acknowledge(items, acks, answers)
        for delay, places in releases.items():
            await self._release(items, places, delay, answers)

    async def _acknowledge(
        self, items: Sequence[Settlement], places: Sequence[int], answers: list[Settled]
    ) -> None:
        deliveries = [items[place].delivery for place in places]
        holds = [delivery.receipt for delivery in deliveries]
        if await self._copying.done(deliveries):
            told = await _by_acknowledger(holds, lambda acknowledger, some: acknowledger.acknowledge(some))
        else:
            told = [Settled.UNKNOWN] * len(holds)  # its copy would bring it back later than its lease does
        broken: list[Delivery] = []
        for place, delivery, answer in zip(places, deliveries, told, strict=True):
            answers[place] = answer
            if answer is Settled.UNKNOWN:
                delivery.receipt.settled = False
            if answer is Settled.DONE:
                self._arrivals.done(delivery)
            else:
                broken += self._arrivals.back([delivery])
        if (returning := self.give_back(broken)) is not None:
            await returning

    async def _release(
        self, items: Sequence[Settlement], places: Sequence[int], delay: float, answers: list[Settled]
    ) -> None:
        deliveries = [items[place].delivery for place in places]
        holds = [delivery.receipt for delivery in deliveries]
        behind = self._arrivals.back(deliveries)
        following = [delivery.receipt for delivery in behind if self.claims(delivery)]
        if delay > 0:
            told = await postpone(holds, delay)
            if following:
                await postpone(following, delay)
        else:
            told = (await postpone([*holds, *following], 0.0))[: len(holds)]
        for place, hold, answer in zip(places, holds, told, strict=True):
            answers[place] = answer
            if answer is Settled.UNKNOWN:
                hold.settled = False


async def postpone(holds: Sequence[Hold], delay: float) -> list[Settled]:
    """Hand them out again after ``delay`` seconds."""
    return await _by_acknowledger(holds, lambda acknowledger, some: acknowledger.postpone(some, delay))


async def _by_acknowledger(
    holds: Sequence[Hold], ask: Callable[[Acknowledges, Sequence[Hold]], Awaitable[list[Settled]]]
) -> list[Settled]:
    """Ask each hold's own; nearly always it is one."""
    parts: dict[Acknowledges, list[Hold]] = {}
    for hold in holds:
        parts.setdefault(hold.acknowledger, []).append(hold)
    answers: dict[Hold, Settled] = {}
    for acknowledger, some in parts.items():
        answers.update(zip(some, await ask(acknowledger, some), strict=True))
    return [answers[hold] for hold in holds]
