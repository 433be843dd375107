"""Settling deliveries: acks leave in batches, give-backs at once; next attempts are published before originals are acked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from transports.rabbitmq.consumption import Consumption
from transports.rabbitmq.encoding import LINE
from transports.rabbitmq.receipt import KEYS, Receipt
from worker.errors import TransportUnavailable
from worker.messaging.transport import (
    Ack,
    Again,
    Delivery,
    Outcome,
    Outgoing,
    Release,
    Settled,
    Settlement,
)

_RETURN = 5.0
"""Seconds after which a message whose next attempt could not be published is handed out again."""


class Settling:
    """Settles for one subscription, in each of its generations.

    Args:
        send: publishes next attempts.
        current: the present generation; what came with an earlier one cannot be settled any more.
        spawn: runs what must end even when its caller does not wait for it any more.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Outgoing]], Awaitable[Sequence[Outcome]]],
        current: Callable[[], Consumption | None],
        spawn: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
    ) -> None:
        self._send = send
        self._current = current
        self._spawn = spawn

    async def settle(self, items: Sequence[Settlement], *, give_back: bool) -> Sequence[Settled]:
        """Settle; with ``give_back`` releases have no delay: nothing is held back here for later."""
        answers: list[Settled] = []
        moving: list[tuple[int, Again]] = []
        current = self._current()
        for item in items:
            delivery = item.delivery
            receipt: Receipt = delivery.receipt
            consumption = receipt.consumption
            if consumption is not current or not consumption.reclaim(receipt):
                answers.append(Settled.LOST)
                continue
            answers.append(Settled.DONE)
            if type(item) is Ack:
                consumption.ack(receipt.tag)
                if receipt.source == KEYS:
                    consumption.prefetched.leave(delivery)
            elif isinstance(item, Release):
                _release(delivery, 0.0 if give_back else item.delay)
            elif isinstance(item, Again):
                if receipt.source == KEYS and _same(item) and item.outgoing.delay <= LINE:
                    consumption.prefetched.again(item)
                else:
                    moving.append((len(answers) - 1, item))
        if moving:
            moved = self._spawn(self._move([item for _, item in moving]))
            for (place, _), answer in zip(moving, await asyncio.shield(moved), strict=True):
                answers[place] = answer
        return answers

    async def _move(self, items: Sequence[Again]) -> list[Settled]:
        """Publish next attempts, and ack each original once its copy is confirmed."""
        try:
            outcomes = await self._send([item.outgoing for item in items])
        except TransportUnavailable:
            outcomes = []
        answers = []
        for number, item in enumerate(items):
            receipt: Receipt = item.delivery.receipt
            taken = number < len(outcomes) and outcomes[number].accepted
            if receipt.consumption is self._current():
                if taken:
                    receipt.consumption.ack(receipt.tag)
                    if receipt.source == KEYS:
                        receipt.consumption.prefetched.leave(item.delivery)
                else:
                    self._return_later(item.delivery)
            else:
                taken = False  # the original comes again, beside its next attempt
            answers.append(Settled.DONE if taken else Settled.UNKNOWN)
        return answers

    def _return_later(self, delivery: Delivery) -> None:
        """Let its caller try again for a while, as nothing was changed; then hand it out anew."""
        receipt: Receipt = delivery.receipt
        receipt.consumption.hand_out([delivery])

        def expired() -> None:
            if receipt.consumption is self._current() and receipt.consumption.reclaim(receipt):
                _release(delivery, 0.0)

        asyncio.get_running_loop().call_later(_RETURN, expired)


def _release(delivery: Delivery, delay: float) -> None:
    receipt: Receipt = delivery.receipt
    if receipt.source == KEYS:
        receipt.consumption.prefetched.back(delivery, delay)
    elif delay > 0:
        receipt.consumption.prefetched.hold_back(delivery, delay)
    else:
        receipt.consumption.give_back([receipt.tag])


def _same(item: Again) -> bool:
    delivery, outgoing = item.delivery, item.outgoing
    return (delivery.queue, delivery.id, delivery.key) == (outgoing.queue, outgoing.id, outgoing.key)
