"""A consumer's hold on one queue in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from transports.memory.queue import Queue
from worker.messaging.transport import Ack, Again, Delivery, Release, Settled, Settlement


class MemoryOwner(Protocol):
    """What a subscription asks of its transport."""

    lease: float
    clock: Callable[[], float]

    def queue(self, name: str) -> Queue | None:
        """Return a queue that was set up."""
        ...

    def wake(self) -> None:
        """Let everyone who waits look again."""
        ...

    def forget(self, subscription: MemorySubscription) -> None:
        """Wake it no more."""
        ...


class MemorySubscription:
    """Claims when asked to: nothing is prefetched, so nothing needs to be given back."""

    def __init__(self, owner: MemoryOwner, name: str) -> None:
        self.lease = owner.lease
        self.changed = asyncio.Event()
        self._owner = owner
        self._name = name
        self._paused = False
        self._closed = False

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to ``limit`` messages; wait up to ``wait`` seconds for the first."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        await asyncio.sleep(0)  # a consumer that always finds something must not keep the loop to itself
        while not self._closed:
            self.changed.clear()
            queue = self._owner.queue(self._name)
            now = self._owner.clock()
            if queue is not None and not self._paused and limit > 0:
                claimed = queue.claim(limit, now, self.lease)
                if claimed:
                    return claimed
            left = deadline - loop.time()
            if left <= 0:
                break
            due = None if queue is None or self._paused else queue.next_due(now)
            # a tick late rather than early: a timer that fires before its time would find nothing
            pause = left if due is None else min(left, max(due - now, 0.0) + 0.001)
            try:
                async with asyncio.timeout(pause):
                    await self.changed.wait()
            except TimeoutError:
                pass
        return []

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle at once."""
        results = [self._settle(item) for item in items]
        self._owner.wake()
        return results

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them for another lease."""
        until = self._owner.clock() + self.lease
        results = []
        for delivery in deliveries:
            queue = self._owner.queue(delivery.queue)
            entry = queue.holds(delivery) if queue is not None else None
            if queue is not None and entry is not None:
                queue.extend(entry, until)
            results.append(Settled.LOST if entry is None else Settled.DONE)
        return results

    async def pause(self) -> None:
        """Stop taking."""
        self._paused = True

    async def resume(self) -> None:
        """Take again."""
        self._paused = False
        self.changed.set()

    async def close(self, grace: float) -> None:
        """Let whoever waits in ``receive`` go, empty-handed."""
        self._closed = True
        self.changed.set()
        self._owner.forget(self)

    def _settle(self, item: Settlement) -> Settled:
        queue = self._owner.queue(item.delivery.queue)
        entry = queue.holds(item.delivery) if queue is not None else None
        if queue is None or entry is None:
            return Settled.LOST
        now = self._owner.clock()
        match item:
            case Ack():
                queue.remove(entry)
            case Release(delay=delay):
                queue.release(entry, now + delay if delay else 0.0)
            case Again(outgoing=outgoing):
                old = entry.outgoing
                if (outgoing.queue, outgoing.id, outgoing.key) == (old.queue, old.id, old.key):
                    queue.again(entry, outgoing, now)
                else:
                    target = self._owner.queue(outgoing.queue)
                    if target is None:
                        return Settled.UNKNOWN  # nothing was changed: it comes back when its lease is over
                    queue.remove(entry)
                    target.put(outgoing, now)
        return Settled.DONE
