"""Turns: which of a worker's queues the next message is taken from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from worker.messaging.transport import Delivery
from worker.runtime.taking.consumer import Consumer

_Tier = deque[Consumer]


class Turns:
    """Consumers in tiers: earlier named first, then higher priority.

    Args:
        consumers: of a worker.

    Attributes:
        consumers: in their order.
        next: starts what is next and tells whose it is; None while nothing may start.
    """

    def __init__(self, consumers: Sequence[Consumer] = ()) -> None:
        self.consumers = sorted(consumers, key=place)
        tiers: dict[tuple[int, int], _Tier] = {}
        for one in self.consumers:
            tiers.setdefault(place(one), deque()).append(one)
        self._tiers = list(tiers.values())
        for number, tier in enumerate(self._tiers):
            for one in tier:
                one.outranks, one.outranked = number < len(tiers) - 1, number > 0
        alone = len(self.consumers) == 1
        self.next: Callable[[], tuple[Consumer, Delivery] | None] = (
            self.consumers[0].take if alone else self._in_turn
        )

    def running(self) -> int:
        """How many messages run."""
        return sum(consumer.running for consumer in self.consumers)

    def before(self, consumer: Consumer) -> int:
        """How many messages count before one more of a consumer: those that run, and what waits of no lesser ones."""
        own = place(consumer)
        return sum(one.running if place(one) > own else one.in_hand for one in self.consumers)

    def _in_turn(self) -> tuple[Consumer, Delivery] | None:
        """Start what is next: equals take turns, so that none starves behind a full queue.

        It comes down to lesser queues only while nothing may come of the better ones at any moment.
        """
        better: _Tier | None = None
        for tier in self._tiers:
            if better is not None:
                for consumer in better:
                    if consumer.awaited():
                        return None
                for consumer in tier:
                    consumer.reach()
            for consumer in tier:
                if consumer.buffer and (started := consumer.take()) is not None:
                    if consumer is not tier[-1]:  # the others come first then
                        tier.remove(consumer)
                        tier.append(consumer)
                    return started
            better = tier
        return None


def place(consumer: Consumer) -> tuple[int, int]:
    """Where a consumer stands; lower first."""
    return consumer.rank, -consumer.spec.priority
