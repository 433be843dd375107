"""Retries in place: the next attempt of a FIFO queue's message, which waits in its place so that its group waits behind it.

The service cannot replace a message by another one. So it is asked to hide the message, and with it its group, for the
delay and a lease, and the next attempt waits here, in memory. When this process ends, the message comes back as it was
sent, and its attempts are counted anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from transports.sqs.receipt import Receipt
from worker.messaging.transport import Again, Delivery, Settled

Hide = Callable[[Receipt, float], Awaitable[Settled]]
"""Hides the message of a receipt for some seconds from now."""


class Retries:
    """What waits for its next attempt.

    Args:
        lease: seconds that a delivery is held.
        hide: keeps a message with its receipt.
        ripe: called when an attempt's time has come.
    """

    def __init__(self, lease: float, hide: Hide, ripe: Callable[[], object]) -> None:
        self._lease = lease
        self._every = lease / 2
        self._hide = hide
        self._tell = ripe
        self._waiting: dict[Receipt, _Waiting] = {}
        self._ripe: dict[Receipt, _Waiting] = {}

    def __len__(self) -> int:
        """How many are due and can be taken."""
        return len(self._ripe)

    async def keep(self, item: Again, receipt: Receipt) -> Settled:
        """Let the next attempt wait; ``receipt`` is the last attempt's, and is used up by this."""
        loop = asyncio.get_running_loop()
        delivery, outgoing = item.delivery, item.outgoing
        now = loop.time()
        delay = max(0.0, min(outgoing.delay, receipt.room(now) - self._lease))
        answer = await self._hide(receipt, delay + self._lease)
        if answer is not Settled.DONE:
            return answer
        following = msgspec.structs.replace(
            delivery,
            body=outgoing.body,
            headers={**delivery.headers, "content-type": outgoing.content_type},
            redelivered=False,
            receipt=receipt.renewed(),
        )
        waiting = self._waiting[following.receipt] = _Waiting(following, now + delay)
        waiting.task = loop.create_task(self._wait(waiting))
        return answer

    def take(self, limit: int) -> list[Delivery]:
        """Take up to ``limit`` of those whose time has come, the oldest first."""
        taken = list(self._ripe.values())[:limit]
        for waiting in taken:
            self._forget(waiting)
        return [waiting.delivery for waiting in taken]

    def end(self) -> list[tuple[Delivery, float]]:
        """Let go of all that waits, and return each with the seconds for which it must stay hidden."""
        now = asyncio.get_running_loop().time()
        left = [*self._ripe.values(), *self._waiting.values()]
        for waiting in left:
            self._forget(waiting)
        return [(waiting.delivery, max(0.0, waiting.due - now)) for waiting in left]

    async def _wait(self, waiting: _Waiting) -> None:
        """Wait until it is due, and hold it from then on until it is taken."""
        receipt = waiting.delivery.receipt
        await asyncio.sleep(max(0.0, waiting.due - asyncio.get_running_loop().time()))
        self._waiting.pop(receipt, None)
        self._ripe[receipt] = waiting
        self._tell()
        while True:
            await asyncio.sleep(self._every)
            if await self._hide(receipt, self._lease) is Settled.LOST:
                self._ripe.pop(receipt, None)  # it comes back as it was sent
                return

    def _forget(self, waiting: _Waiting) -> None:
        self._ripe.pop(waiting.delivery.receipt, None)
        self._waiting.pop(waiting.delivery.receipt, None)
        if waiting.task is not None:
            waiting.task.cancel()


class _Waiting:
    """A next attempt, and when it is due, by the loop's clock."""

    def __init__(self, delivery: Delivery, due: float) -> None:
        self.delivery = delivery
        self.due = due
        self.task: asyncio.Task[None] | None = None
