"""What a consumer of one queue asks of the memory: claims, settlements, and longer holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from transports.memory.queue import Queue
from transports.subscription import Claimed
from worker.messaging.transport import Ack, Again, Delivery, Release, Settled, Settlement

T = TypeVar("T")


class MemoryOwner(Protocol):
    """What a holding asks of its transport."""

    lease: float
    clock: Callable[[], float]

    def queue(self, name: str) -> Queue | None:
        """Return a queue that was set up."""
        ...

    def wake(self) -> None:
        """Let every waiting ``receive`` look again."""
        ...


class Holding:
    """Claims on one queue; see ``transports.subscription.Claims``."""

    def __init__(self, owner: MemoryOwner, name: str) -> None:
        self.lease = owner.lease
        self._owner = owner
        self._name = name

    def claim(self, limit: int, wait: float) -> asyncio.Future[Claimed]:
        """Take up to ``limit`` messages."""
        queue = self._owner.queue(self._name)
        now = self._owner.clock()
        deliveries = queue.claim(limit, now, self.lease) if queue is not None else []
        due = queue.next_due(now) if queue is not None and not deliveries else None
        return _soon(Claimed(deliveries, None if due is None else due - now))

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        """Settle."""
        answers = [self._settle(item) for item in items]
        self._owner.wake()
        return _soon(answers)

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold for another lease."""
        until = self._owner.clock() + self.lease
        results = []
        for delivery in deliveries:
            queue = self._owner.queue(delivery.queue)
            entry = queue.holds(delivery) if queue is not None else None
            if queue is not None and entry is not None:
                queue.extend(entry, until)
            results.append(Settled.LOST if entry is None else Settled.DONE)
        return results

    async def let_go(self) -> None:
        """Nothing to do: nothing is taken ahead."""

    def waiting(self, waits: bool) -> None:
        """Nothing to do: the transport tells of changes."""

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


def _soon(answer: T) -> asyncio.Future[T]:
    """Answer in the loop's next round: waiting consumers come before one that gives a message back and takes again."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    loop.call_soon(lambda: None if future.done() else future.set_result(answer))
    return future
