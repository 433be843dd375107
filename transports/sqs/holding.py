"""What a consumer of one queue asks of the service: it takes what polls bring, settles it, and holds it longer."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from transports.sqs.acknowledging import Acknowledger
from transports.sqs.arrivals import Arrivals
from transports.sqs.connection import Connection
from transports.sqs.polls import Caught, Polls
from transports.sqs.queues import Queues
from transports.sqs.receipt import Receipt
from transports.sqs.retries import Retries
from transports.sqs.returning import Returning
from transports.sqs.settings import Settings
from transports.sqs.settling import Settling
from transports.sqs.timekeeping import Timekeeper
from transports.subscription import Claimed
from worker.messaging.transport import Delivery, Settled

_PATIENT = 1.0
"""Seconds: a consumer that waits at least that long has its poll wait at the service; else it looks, and looks again."""

_LOOK_AGAIN = 0.03
"""Seconds between two such looks."""

_KEEP = 0.5
"""Seconds that what came is kept while no consumer here asks for it; then it goes back, for other workers."""

_WORTH = 0.45
"""Share of its lease that a message must have left when its group's head is done: renewals come each third of a lease."""


class SqsOwner(Protocol):
    """What a holding asks of its transport."""

    settings: Settings
    connection: Connection
    queues: Queues
    held: dict[str, Receipt]
    time: Timekeeper


class Holding:
    """Claims on one queue; see ``transports.subscription.Claims``. A claim never waits for a long poll.

    Args:
        owner: the transport.
        queue: the application's name of it.
        changed: set when something may have come.

    Attributes:
        polls: of this queue.
    """

    def __init__(self, owner: SqsOwner, queue: str, changed: asyncio.Event) -> None:
        self.lease = owner.settings.lease
        self.polls = Polls(owner, queue, self._took, changed.set)
        self._owner = owner
        self._queue = queue
        self._changed = changed
        self._ready: deque[Delivery] = deque()
        self._wanted = False
        self._waiting = 0
        self._asked_at = 0.0
        self._keeping: asyncio.TimerHandle | None = None
        self._acknowledger = Acknowledger(owner.connection, lambda: self.polls.url, owner.settings.timeout)
        self._returning = Returning(self._acknowledger)
        self._retries = Retries(self.lease, self._acknowledger.extend, changed.set)
        self._settling = Settling(
            self, self.lease, owner.held, self._acknowledger, self._returning, self._retries, self._follow
        )
        self.settle = self._settling.settle
        self.extend = self._settling.extend

    def claim(self, limit: int, wait: float) -> asyncio.Future[Claimed]:
        """Take what has come; where nothing has, make sure that a poll is under way."""
        loop = asyncio.get_running_loop()
        self._wanted, self._asked_at = True, loop.time()
        if wait < _PATIENT and not self.has_some:
            return loop.create_task(self._glance(limit))
        claimed: asyncio.Future[Claimed] = loop.create_future()
        if taken := self._take(limit):
            claimed.set_result(Claimed(taken, None))
        elif (trouble := self.polls.trouble) is not None:
            self.polls.trouble = None
            claimed.set_exception(trouble)
        else:
            self.polls.ask(limit)
            claimed.set_result(Claimed([], None))
        return claimed

    @property
    def has_some(self) -> bool:
        """Whether something could be received now."""
        return bool(self._ready or len(self._retries))

    def waiting(self, waits: bool) -> None:
        """Note that a consumer waits for what comes (``waits``), or does not any more."""
        self._waiting += 1 if waits else -1
        self._asked_at = asyncio.get_running_loop().time()
        self._keep()

    async def let_go(self) -> None:
        """Give back what came and was not handed out; what polls under way bring goes back, too."""
        self._wanted = False
        self._give_back_ready()
        await self._returning.finish()

    def end(self) -> None:
        """Give back what waits for its next attempt, hidden for the rest of its delay."""
        for delivery, seconds in self._retries.end():
            self._returning.one(delivery, math.ceil(seconds))

    async def finish(self) -> None:
        """Wait until the service was told all that was decided."""
        await self._acknowledger.finish()

    async def _glance(self, limit: int) -> Claimed:
        await self.polls.glance(limit)
        if taken := self._take(limit):
            return Claimed(taken, None)
        if (trouble := self.polls.trouble) is not None:
            self.polls.trouble = None
            raise trouble
        return Claimed([], _LOOK_AGAIN)

    async def _took(self, caught: Caught) -> None:
        arrivals = Arrivals(self._queue, self, caught.hidden, self._owner.time, fifo=caught.queue.fifo)
        arrived = arrivals.read(caught.messages, caught.polled)
        for delivery, seconds in arrived.back:
            self._returning.one(delivery, seconds)
        ready = arrived.ready
        if caught.hidden < self.lease and self._wanted:
            ready = await self._kept_on(ready)
        self._ready.extend(ready)
        if not self._wanted:
            self._give_back_ready()
        self._keep()

    async def _kept_on(self, arrived: Sequence[Delivery]) -> list[Delivery]:
        """Hold for a whole lease what the poll has hidden only briefly; what cannot be held goes back."""
        kept: list[Delivery] = []
        for delivery, answer in zip(arrived, await self.extend(arrived), strict=True):
            if answer is Settled.DONE:
                kept.append(delivery)
            else:
                self._returning.one(delivery)
        return kept

    def _take(self, limit: int) -> list[Delivery]:
        now = asyncio.get_running_loop().time()
        taken = [delivery for delivery in self._retries.take(limit) if self._settling.valid(delivery, now)]
        while self._ready and len(taken) < limit:
            delivery = self._ready.popleft()
            if self._settling.valid(delivery, now) is not None:  # else another worker has it, or will
                taken.append(delivery)
        for delivery in taken:
            self._owner.held[delivery.id] = delivery.receipt
        return taken

    def _keep(self) -> None:
        """Start the timer that gives back what no consumer here asks for."""
        if self._ready and self._keeping is None:
            self._keeping = asyncio.get_running_loop().call_later(_KEEP, self._kept)

    def _kept(self) -> None:
        self._keeping = None
        if self._waiting or asyncio.get_running_loop().time() < self._asked_at + _KEEP / 2:
            self._keep()
        else:
            self._give_back_ready()

    def _follow(self, head: Delivery) -> None:
        """Offer the next of a group where enough of its lease is left; else give it back."""
        left = head.receipt.until - asyncio.get_running_loop().time()
        if not self._wanted or left < self.lease * _WORTH:
            self._returning.one(head)
            return
        self._ready.append(head)
        self._changed.set()
        self._keep()

    def _give_back_ready(self) -> None:
        while self._ready:
            self._returning.one(self._ready.popleft())
