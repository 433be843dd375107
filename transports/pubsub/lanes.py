"""Lanes: of one key's messages only the first is handed out; the service sends several of them at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from worker.messaging.transport import Delivery


class _Lane:
    """A key's message that is out, and those that wait behind it."""

    def __init__(self, head: Delivery) -> None:
        self.head = head
        self.waiting: deque[Delivery] = deque()


class Lanes:
    """The keys of one subscription of which a message is here."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}

    def admit(self, deliveries: Sequence[Delivery], now: float) -> tuple[list[Delivery], list[Delivery]]:
        """Return what may be handed out, and what must go back as the lease of its key's head is over; the rest waits."""
        free: list[Delivery] = []
        stale: list[Delivery] = []
        for delivery in deliveries:
            key = delivery.key
            if key is None:
                free.append(delivery)
                continue
            lane = self._lanes.get(key)
            if lane is not None and not lane.head.receipt.lost(now):
                lane.waiting.append(delivery)
                continue
            if lane is not None:
                stale.extend(lane.waiting)
            self._lanes[key] = _Lane(delivery)
            free.append(delivery)
        return free, stale

    def follow(self, head: Delivery, now: float) -> tuple[Delivery | None, list[Delivery]]:
        """Return the next behind a head that is done with, and what must go back where the lease of that next is over."""
        lane = self._of(head)
        if lane is None or head.key is None:
            return None, []
        if not lane.waiting:
            del self._lanes[head.key]
            return None, []
        lane.head = lane.waiting.popleft()
        return (None, self.break_up(lane.head)) if lane.head.receipt.lost(now) else (lane.head, [])

    def break_up(self, head: Delivery) -> list[Delivery]:
        """Return, in order, what waits behind a head that goes back or is lost: it must go back, too."""
        lane = self._of(head)
        if lane is None or head.key is None:
            return []
        del self._lanes[head.key]
        return list(lane.waiting)

    def behind(self, heads: Sequence[Delivery]) -> list[Delivery]:
        """Return what waits behind these heads: it is held as long as they are."""
        lanes = [lane for head in heads if (lane := self._of(head)) is not None]
        return [delivery for lane in lanes for delivery in lane.waiting]

    def clear(self) -> list[Delivery]:
        """Return all that waits, and let it wait no more; what is handed out stays the head of its key."""
        waiting: list[Delivery] = []
        for lane in self._lanes.values():
            waiting.extend(lane.waiting)
            lane.waiting.clear()
        return waiting

    def _of(self, head: Delivery) -> _Lane | None:
        lane = None if head.key is None else self._lanes.get(head.key)
        return lane if lane is not None and lane.head is head else None
