"""What came and is not handed out: ready to be received, held back for a while, or waiting in its key's lane."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection

import msgspec

from transports.rabbitmq.lanes import Lanes
from transports.rabbitmq.receipt import KEYS, Receipt
from worker.messaging.transport import Again, Delivery, Outgoing


class Prefetched:
    """Holds the deliveries of one generation.

    Args:
        offered: called when one more may be received.
        attempts: next attempts of messages with a key, by id, and when each is due on the loop's clock. They
            outlive the generation: the original stays at the broker and keeps its place there. When it comes
            again, also after a lost connection, its next attempt is handed out instead.
    """

    def __init__(self, offered: Callable[[], None], attempts: dict[str, tuple[Outgoing, float]]) -> None:
        self.ready: deque[Delivery] = deque()
        self._offered = offered
        self._loop = asyncio.get_running_loop()
        self._lanes = Lanes(self._offer)
        self._held_back: dict[asyncio.TimerHandle, Delivery] = {}
        self._attempts = attempts

    @property
    def empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.ready or self._held_back or self._lanes)

    def add(self, delivery: Delivery, delay: float) -> None:
        """Take what came from the broker; in its key's lane it has ``delay`` seconds still to wait."""
        key = delivery.key
        if key is None or delivery.receipt.source != KEYS:
            self._offer(delivery)
            return
        following = self._attempts.get(delivery.id)
        if following is not None:
            outgoing, due = following
            delay = max(due - self._loop.time(), 0.0)
            delivery = _following(delivery, outgoing)
        self._lanes.add(key, delivery, delay)

    def take(self, limit: int) -> list[Delivery]:
        """Hand out up to ``limit``."""
        ready = self.ready
        if len(ready) <= limit:
            taken = list(ready)
            ready.clear()
            return taken
        return [ready.popleft() for _ in range(limit)]

    def hold_back(self, delivery: Delivery, delay: float) -> None:
        """Offer it again after ``delay`` seconds: given back, the broker would hand it out at once, to any consumer."""

        def due() -> None:
            self._held_back.pop(timer, None)
            self._offer(again)

        again = _anew(delivery)
        timer = self._loop.call_later(delay, due)
        self._held_back[timer] = again

    def leave(self, delivery: Delivery) -> None:
        """Drop the first of a lane, which is done with: the next comes forward."""
        self._attempts.pop(delivery.id, None)
        self._lanes.done(delivery.key or "")

    def back(self, delivery: Delivery, delay: float) -> None:
        """Put it back as the first of its lane, to be offered after ``delay`` seconds."""
        self._lanes.again(delivery.key or "", _anew(delivery), delay)

    def again(self, item: Again) -> None:
        """Put the next attempt first in its lane; its original stays at the broker, and keeps the place there."""
        delivery, outgoing = item.delivery, item.outgoing
        self._attempts[delivery.id] = (outgoing, self._loop.time() + outgoing.delay)
        following = msgspec.structs.replace(_following(_anew(delivery), outgoing), redelivered=False)
        self._lanes.again(delivery.key or "", following, outgoing.delay)

    def withdraw(self, sources: Collection[str]) -> list[int]:
        """Forget what came from these consumers; returns its tags."""
        held_back = [d for d in self._held_back.values() if d.receipt.source in sources]
        self._held_back = _kept(self._held_back, sources)
        going = {d.receipt.tag for d in (*self.ready, *held_back) if d.receipt.source in sources}
        self.ready = deque(d for d in self.ready if d.receipt.source not in sources)
        if KEYS in sources:
            going.update(d.receipt.tag for d in self._lanes.clear())
        return sorted(going)

    def clear(self) -> None:
        """Forget everything: it came over a channel that is gone, and will come again."""
        self._held_back = _kept(self._held_back, None)
        self.ready.clear()
        self._lanes.clear()

    def _offer(self, delivery: Delivery) -> None:
        self.ready.append(delivery)
        self._offered()


def _kept(
    held_back: dict[asyncio.TimerHandle, Delivery], going: Collection[str] | None
) -> dict[asyncio.TimerHandle, Delivery]:
    """Stop the timers of what came from ``going`` (None: of all), and return the rest."""
    kept = {}
    for timer, delivery in held_back.items():
        if going is None or delivery.receipt.source in going:
            timer.cancel()
        else:
            kept[timer] = delivery
    return kept


def _anew(delivery: Delivery) -> Delivery:
    """Make the same delivery with a new receipt: the earlier receipt is not valid any more."""
    return msgspec.structs.replace(delivery, receipt=Receipt(*delivery.receipt))


def _following(delivery: Delivery, outgoing: Outgoing) -> Delivery:
    """Make the next attempt's delivery, with the receipt of its original."""
    return msgspec.structs.replace(
        delivery, body=outgoing.body, headers={"content-type": outgoing.content_type}, deaths=0
    )
