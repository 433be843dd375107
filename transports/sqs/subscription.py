"""A consumer's hold on one queue: polls as long as somebody asks, and never breaks a poll off."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from transports.sqs.arrivals import ATTRIBUTES, Arrivals, Polled
from transports.sqs.connection import Connection, Lane, Refused
from transports.sqs.counting import Counter
from transports.sqs.queues import Queue, Queues
from transports.sqs.receipt import Receipt
from transports.sqs.servicetime import ServiceTime
from transports.sqs.settings import LONGEST_LEASE, Settings
from transports.sqs.settling import Settling
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Again, Delivery, QueueSpec, Release, Settled, Settlement

_MOST = 10
"""Messages that one poll brings."""

_KEEP = 0.5
"""Seconds that what came stays here while nobody asks for it; then others may have it."""

_LOOK_AGAIN = 0.03
"""Seconds between two polls that do not wait."""

_QUICK = 1
"""Seconds that a poll waits while messages flow: a stop has the time to let it end."""

_BRIEF = 5
"""Seconds that the poll of an idle queue hides what it brings: so long it is gone when a stop breaks the poll off."""

_WORTH = 0.45
"""Part of a lease that what waited behind its head must have left: renewals come each third of one."""

_NO_QUEUE = 1.0
"""Seconds after which a queue that is not there is looked for again."""


class SqsOwner(Protocol):
    """What a subscription asks of its transport."""

    settings: Settings
    connection: Connection
    queues: Queues
    counter: Counter
    held: dict[str, Receipt]
    time: ServiceTime

    def forget(self, subscription: SqsSubscription) -> None:
        """It is closed."""
        ...

    def outlives(self, poll: asyncio.Task[None]) -> None:
        """A poll goes on though its subscription is closed."""
        ...


class SqsSubscription:
    """Polls one queue: one poll at a time while little comes, more while they come back full.

    Attributes:
        lease: seconds that a delivery is held.
    """

    def __init__(self, owner: SqsOwner, spec: QueueSpec) -> None:
        self.spec = spec
        self.lease = owner.settings.lease
        self._owner = owner
        self._ready: deque[Delivery] = deque()
        self._polls: dict[asyncio.Task[None], int] = {}
        self._demand: dict[object, int] = {}
        self._changed = asyncio.Event()
        self._pollers = 1
        self._idle = True
        self._paused = False
        self._closed = False
        self._trouble: TransportUnavailable | None = None
        self._keeping: asyncio.TimerHandle | None = None
        self._giving: set[asyncio.Future[Settled]] = set()
        self._url = ""
        self._settling = Settling(owner.connection, lambda: self._url, owner.settings.timeout)

    # --- taking -----------------------------------------------------------------------------------------------------

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to ``limit`` of what polls bring; wait up to ``wait`` seconds for the first.

        Raises:
            TransportUnavailable: a poll failed; says why.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        asking = object()
        self._demand[asking] = limit
        try:
            while not self._closed:
                self._changed.clear()
                if not self._paused and limit > 0:
                    if taken := self._take(limit):
                        return taken
                    if self._trouble is not None:
                        trouble, self._trouble = self._trouble, None
                        raise trouble
                    if wait < 1.0:
                        await self._glance(limit)
                        if self._ready or self._trouble is not None:
                            continue
                    else:
                        self._poll()
                left = deadline - loop.time()
                if left <= 0:
                    break
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(
                        left if wait >= 1.0 or self._paused else min(left, _LOOK_AGAIN)
                    ):
                        await self._changed.wait()
            return []
        finally:
            del self._demand[asking]
            self._keep()

    async def exhausted(self) -> bool:
        """Whether the service counts nothing that could be had, and nothing is on its way.

        Raises:
            TransportUnavailable: the service does not answer.
        """
        if self._ready or self._polls:
            return False
        counted = await self._owner.counter.depth([self.spec.name])
        return not counted[self.spec.name].ready

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        """Settle with whatever else is settled meanwhile; never raises."""
        now = asyncio.get_running_loop().time()
        begun = [self._begin(item, now) for item in items]
        return [answer if isinstance(answer, Settled) else await asyncio.shield(answer) for answer in begun]

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        """Hold them, and what waits behind them, for another lease; UNKNOWN where the service does not answer."""
        now = asyncio.get_running_loop().time()
        begun: list[asyncio.Future[Settled] | Settled] = []
        for delivery in deliveries:
            receipt = self._valid(delivery, now)
            begun.append(Settled.LOST if receipt is None else self._settling.extend(receipt, self.lease))
            for successor in () if receipt is None or receipt.behind is None else receipt.behind:
                self._settling.extend(successor.receipt, self.lease)
        answers = [answer if isinstance(answer, Settled) else await answer for answer in begun]
        for delivery, answer in zip(deliveries, answers, strict=True):
            if answer is Settled.LOST and isinstance(receipt := delivery.receipt, Receipt):
                self._end(delivery, receipt)
        return answers

    # --- pausing and closing ----------------------------------------------------------------------------------------

    async def pause(self) -> None:
        """Stop taking; what came and was not received goes back, and what a poll under way brings, too."""
        self._paused = True
        self._changed.set()
        await self._give_back_all()

    async def resume(self) -> None:
        """Take again."""
        self._paused = False
        self._changed.set()

    async def close(self, grace: float) -> None:
        """Give back what was not received; wait up to ``grace`` seconds for settlements under way."""
        if self._closed:
            return
        self._closed = self._paused = True
        self._changed.set()
        self._owner.forget(self)
        for poll in self._polls:
            self._owner.outlives(poll)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._give_back_all()
                await self._settling.finish()

    async def finish(self) -> None:
        """Wait until everything that was decided is told."""
        await self._settling.finish()

    # --- polls ------------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        """Have as many polls under way as are asked for and allowed."""
        wanted = sum(self._demand.values()) - len(self._ready) - sum(self._polls.values())
        while wanted > 0 and len(self._polls) < self._pollers:
            count = min(wanted, _MOST)
            longest = self._owner.settings.wait
            self._start(count, longest if self._idle else min(longest, _QUICK))
            wanted -= count

    async def _glance(self, limit: int) -> None:
        """Look once without waiting; whoever is cancelled meanwhile leaves the poll to itself."""
        await asyncio.wait({self._start(min(limit, _MOST), 0)})

    def _start(self, count: int, wait: int) -> asyncio.Task[None]:
        poll = asyncio.get_running_loop().create_task(self._run(count, wait))
        self._polls[poll] = count
        poll.add_done_callback(self._ended)
        return poll

    def _ended(self, poll: asyncio.Task[None]) -> None:
        self._polls.pop(poll, None)
        self._changed.set()

    async def _run(self, count: int, wait: int) -> None:
        loop = asyncio.get_running_loop()
        hidden = min(self.lease, _BRIEF if wait > _QUICK else self.lease)
        try:
            queue = await self._owner.queues.find(self.spec.name)
            if queue is None:
                await asyncio.sleep(_NO_QUEUE if wait else 0)
                return
            self._url = queue.url
            sent = loop.time()
            answer = await self._owner.connection.call(
                Lane.RECEIVE,
                "ReceiveMessage",
                QueueUrl=queue.url,
                MaxNumberOfMessages=count,
                WaitTimeSeconds=wait,
                VisibilityTimeout=int(hidden),
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=list(ATTRIBUTES),
            )
        except Refused as refused:
            if refused.missing:
                self._owner.queues.forget(self.spec.name)
                return
            self._trouble = self._owner.connection.unavailable(refused)
            return
        except TransportUnavailable as error:
            self._trouble = error
            return
        messages = answer.get("Messages") or ()
        if wait:
            full = len(messages) >= count
            self._pollers = min(self._pollers + 1, self._owner.settings.pollers) if full else self._pollers
            self._pollers = self._pollers if messages else 1
            self._idle = not messages
        if messages:
            date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
            await self._took(queue, messages, Polled(sent, loop.time(), wait, date), hidden)

    async def _took(
        self, queue: Queue, messages: Sequence[dict[str, object]], polled: Polled, hidden: float
    ) -> None:
        arrivals = Arrivals(self.spec.name, self, hidden, self._owner.time, fifo=queue.fifo)
        arrived = arrivals.read(messages, polled)
        for delivery, seconds in arrived.back:
            self._give_back(delivery, seconds)
        ready = arrived.ready
        if hidden < self.lease and not self._paused:
            ready = await self._kept_on(ready)
        self._ready.extend(ready)
        if self._paused or self._closed:
            while self._ready:
                self._give_back(self._ready.popleft())
        self._keep()

    async def _kept_on(self, arrived: Sequence[Delivery]) -> list[Delivery]:
        """Hold for a lease what is hidden briefly; what cannot be held goes back."""
        kept: list[Delivery] = []
        for delivery, answer in zip(arrived, await self.extend(arrived), strict=True):
            if answer is Settled.DONE:
                kept.append(delivery)
            else:
                self._give_back(delivery)
        return kept

    def _take(self, limit: int) -> list[Delivery]:
        now = asyncio.get_running_loop().time()
        taken: list[Delivery] = []
        while self._ready and len(taken) < limit:
            delivery = self._ready.popleft()
            if self._valid(delivery, now) is not None:  # else another has it by now, or will
                self._owner.held[delivery.id] = delivery.receipt
                taken.append(delivery)
        return taken

    def _keep(self) -> None:
        """Let others have what nobody asks for here."""
        if self._ready and not self._demand and self._keeping is None:
            self._keeping = asyncio.get_running_loop().call_later(_KEEP, self._kept)

    def _kept(self) -> None:
        self._keeping = None
        if not self._demand:
            while self._ready:
                self._give_back(self._ready.popleft())

    # --- settling ---------------------------------------------------------------------------------------------------

    def _valid(self, delivery: Delivery, now: float) -> Receipt | None:
        receipt = delivery.receipt
        if not isinstance(receipt, Receipt) or receipt.owner is not self or receipt.settled:
            return None
        return receipt if receipt.until > now else None

    def _begin(self, item: Settlement, now: float) -> asyncio.Future[Settled] | Settled:
        delivery = item.delivery
        receipt = self._valid(delivery, now)
        if receipt is None:
            return Settled.LOST
        if isinstance(item, Again):
            return Settled.UNKNOWN  # Features.replaces is false: nobody may ask for it
        self._end(delivery, receipt)
        if isinstance(item, Release):
            return self._give_back(delivery, math.ceil(item.delay))
        assert isinstance(item, Ack)
        removing = self._settling.remove(receipt)
        if receipt.behind:
            removing.add_done_callback(lambda done: self._advance(receipt, done))
        return removing

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
            self._give_back_lane(behind)
            return
        head = behind.popleft()
        head.receipt.behind = behind
        left = head.receipt.until - asyncio.get_running_loop().time()
        if self._paused or self._closed or left < self.lease * _WORTH:
            self._give_back(head)
            return
        self._ready.append(head)
        self._changed.set()
        self._keep()

    def _give_back(self, delivery: Delivery, seconds: int = 0) -> asyncio.Future[Settled]:
        """Let others have it, and before it what waits behind it: the service keeps their order."""
        receipt: Receipt = delivery.receipt
        receipt.settled = True
        behind, receipt.behind = receipt.behind, None
        self._give_back_lane(behind or ())
        longest = int(receipt.since + LONGEST_LEASE - asyncio.get_running_loop().time() - 1)
        giving = self._settling.give_back(receipt, max(0, min(seconds, longest)))
        self._giving.add(giving)
        giving.add_done_callback(self._giving.discard)
        return giving

    def _give_back_lane(self, behind: Sequence[Delivery] | deque[Delivery]) -> None:
        for successor in behind:
            self._give_back(successor)

    async def _give_back_all(self) -> None:
        while self._ready:
            self._give_back(self._ready.popleft())
        if self._giving:
            await asyncio.wait(set(self._giving))
