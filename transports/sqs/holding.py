"""What a consumer of one queue asks of the service: it takes what polls bring, settles it, and holds it longer."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from transports.sqs.arrivals import Arrivals
from transports.sqs.connection import Connection
from transports.sqs.polls import Caught, Polls
from transports.sqs.queues import Queues
from transports.sqs.receipt import Receipt
from transports.sqs.retries import Retries
from transports.sqs.returning import Returning
from transports.sqs.servicetime import ServiceTime
from transports.sqs.settings import Settings
from transports.sqs.settling import Settling
from transports.subscription import Claimed
from worker.messaging.transport import Ack, Again, Delivery, Release, Settled, Settlement

_PATIENT = 1.0
"""Seconds of waiting from which on a poll may wait at the service; who waits for less looks, and looks again."""

_LOOK_AGAIN = 0.03
"""Seconds between two such looks."""

_KEEP = 0.5
"""Seconds that what came stays here while nobody asks for it; then others may have it."""

_WORTH = 0.45
"""Part of a lease that what waited behind its head must have left: renewals come each third of one."""

_Answer = asyncio.Future[Settled] | Settled


class HoldingOwner(Protocol):
    """What it asks of its transport."""

    settings: Settings
    connection: Connection
    queues: Queues
    held: dict[str, Receipt]
    time: ServiceTime


class Holding:
    """Claims on one queue; see ``transports.subscription.Claims``. A claim never waits for a long poll.

    Args:
        owner: the transport.
        queue: the application's name of it.
        changed: set when something may be had.

    Attributes:
        polls: of this queue.
    """

    def __init__(self, owner: HoldingOwner, queue: str, changed: asyncio.Event) -> None:
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
        self._settling = Settling(owner.connection, lambda: self.polls.url, owner.settings.timeout)
        self._returning = Returning(self._settling)
        self._retries = Retries(self.lease, self._settling.extend, changed.set)

    # --- taking -----------------------------------------------------------------------------------------------------

    def claim(self, limit: int, wait: float) -> asyncio.Future[Claimed]:
        """Take what has come; where there is nothing, see to it that a poll is out."""
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
        """Whether something could be had now."""
        return bool(self._ready or len(self._retries))

    def waiting(self, waits: bool) -> None:
        """Somebody waits for what comes, or nobody does any more."""
        self._waiting += 1 if waits else -1
        self._asked_at = asyncio.get_running_loop().time()
        self._keep()

    async def let_go(self) -> None:
        """Give back what came and was not handed out; what polls under way bring goes back, too."""
        self._wanted = False
        self._give_back_ready()
        await self._returning.finish()

    def end(self) -> None:
        """Give back, for the rest of their delays, what waits for its next attempt."""
        for delivery, seconds in self._retries.end():
            self._returning.one(delivery, math.ceil(seconds))

    async def finish(self) -> None:
        """Wait until everything that was decided is told."""
        await self._settling.finish()

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
        """Hold for a lease what is hidden briefly; what cannot be held goes back."""
        kept: list[Delivery] = []
        for delivery, answer in zip(arrived, await self.extend(arrived), strict=True):
            if answer is Settled.DONE:
                kept.append(delivery)
            else:
                self._returning.one(delivery)
        return kept

    def _take(self, limit: int) -> list[Delivery]:
        now = asyncio.get_running_loop().time()
        taken = [delivery for delivery in self._retries.take(limit) if self._valid(delivery, now)]
        while self._ready and len(taken) < limit:
            delivery = self._ready.popleft()
            if self._valid(delivery, now) is not None:  # else another has it by now, or will
                taken.append(delivery)
        for delivery in taken:
            self._owner.held[delivery.id] = delivery.receipt
        return taken

    def _keep(self) -> None:
        """Let others have what nobody asks for here."""
        if self._ready and self._keeping is None:
            self._keeping = asyncio.get_running_loop().call_later(_KEEP, self._kept)

    def _kept(self) -> None:
        self._keeping = None
        if self._waiting or asyncio.get_running_loop().time() < self._asked_at + _KEEP / 2:
            self._keep()
        else:
            self._give_back_ready()

    # --- settling ---------------------------------------------------------------------------------------------------

    def settle(self, items: Sequence[Settlement]) -> asyncio.Future[Sequence[Settled]]:
        """Settle with whatever else is settled meanwhile; the answer never is an error."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        return loop.create_task(_all([self._begin(item, now) for item in items]))

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them, and what waits behind them, for another lease; UNKNOWN where the service does not answer."""
        now = asyncio.get_running_loop().time()
        begun: list[_Answer] = []
        for delivery in deliveries:
            receipt = self._valid(delivery, now)
            begun.append(Settled.LOST if receipt is None else self._settling.extend(receipt, self.lease))
            for successor in () if receipt is None or receipt.behind is None else receipt.behind:
                self._settling.extend(successor.receipt, self.lease)
        answers = await _all(begun)
        for delivery, answer in zip(deliveries, answers, strict=True):
            if answer is Settled.LOST and isinstance(receipt := delivery.receipt, Receipt):
                self._end(delivery, receipt)
        return answers

    def _valid(self, delivery: Delivery, now: float) -> Receipt | None:
        receipt = delivery.receipt
        if not isinstance(receipt, Receipt) or receipt.owner is not self or receipt.settled:
            return None
        return receipt if receipt.until > now else None

    def _begin(self, item: Settlement, now: float) -> _Answer:
        delivery = item.delivery
        receipt = self._valid(delivery, now)
        if receipt is None:
            return Settled.LOST
        if isinstance(item, Again):
            return self._again(item, receipt)
        self._end(delivery, receipt)
        if isinstance(item, Release):
            return self._returning.one(delivery, math.ceil(item.delay))
        assert isinstance(item, Ack)
        removing = self._settling.remove(receipt)
        if receipt.behind:
            removing.add_done_callback(lambda done: self._advance(receipt, done))
        return removing

    def _again(self, item: Again, receipt: Receipt) -> _Answer:
        """Let the next attempt wait in place; what came behind it waits at the service."""
        delivery, outgoing = item.delivery, item.outgoing
        if receipt.behind is None or (outgoing.queue, outgoing.key) != (delivery.queue, delivery.key):
            return Settled.UNKNOWN  # not what Features.retries_in_place promises; it comes back
        self._end(delivery, receipt)
        behind, receipt.behind = receipt.behind, None
        self._returning.all(behind)
        return asyncio.get_running_loop().create_task(self._retries.keep(item, receipt))

    def _end(self, delivery: Delivery, receipt: Receipt) -> None:
        receipt.settled = True
        if self._owner.held.get(delivery.id) is receipt:
            del self._owner.held[delivery.id]

    def _advance(self, receipt: Receipt, done: asyncio.Future[Settled]) -> None:
        """The head of a group is gone: its next message is to be had; where it is not gone, all of them wait for it."""
        behind, receipt.behind = receipt.behind, None
        if not behind:
            return
        if done.cancelled() or done.exception() is not None or done.result() is not Settled.DONE:
            self._returning.all(behind)
            return
        head = behind.popleft()
        head.receipt.behind = behind
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


async def _all(begun: Sequence[_Answer]) -> Sequence[Settled]:
    return [answer if isinstance(answer, Settled) else await answer for answer in begun]
