"""Lanes: of each key only the first message is handed out; it keeps its place while it waits or is tried again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from worker.messaging.transport import Delivery


class Lane:
    """One key's deliveries in order; the first is offered or handed out, or waits for its time."""

    __slots__ = ("timer", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[tuple[Delivery, float]] = deque()
        self.timer: asyncio.TimerHandle | None = None


class Lanes:
    """All lanes of one queue.

    Args:
        ready: takes a delivery that may be handed out.
    """

    def __init__(self, ready: Callable[[Delivery], None]) -> None:
        self._ready = ready
        self._lanes: dict[str, Lane] = {}
        self._loop = asyncio.get_running_loop()

    def __bool__(self) -> bool:
        """Whether there is a lane at all."""
        return bool(self._lanes)

    def add(self, key: str, delivery: Delivery, delay: float) -> None:
        """Put a delivery at the end of its lane; once first, it waits until ``delay`` seconds from now have passed."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
        lane.waiting.append((delivery, self._loop.time() + delay))
        if len(lane.waiting) == 1:
            self._advance(lane)

    def done(self, key: str) -> None:
        """Drop the first, which is done with: the next comes forward."""
        lane = self._lanes.get(key)
        if lane is None:
            return
        lane.waiting.popleft()
        if lane.waiting:
            self._advance(lane)
        else:
            del self._lanes[key]

    def again(self, key: str, delivery: Delivery, delay: float) -> None:
        """Replace the first by ``delivery``, which is offered after ``delay`` seconds."""
        lane = self._lanes[key]
        lane.waiting[0] = (delivery, self._loop.time() + delay)
        self._advance(lane)

    def clear(self) -> list[Delivery]:
        """Forget everything, and return it in the order of each lane."""
        found: list[Delivery] = []
        for lane in self._lanes.values():
            if lane.timer is not None:
                lane.timer.cancel()
            found.extend(delivery for delivery, _ in lane.waiting)
        self._lanes.clear()
        return found

    def _advance(self, lane: Lane) -> None:
        delivery, due = lane.waiting[0]
        left = due - self._loop.time()
        if left <= 0:
            lane.timer = None
            self._ready(delivery)
        else:
            lane.timer = self._loop.call_later(left, self._advance, lane)
