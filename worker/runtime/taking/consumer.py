"""A consumer: one queue's subscription, what was taken from it and waits for a slot, and what runs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from worker.messaging.middleware import CallNext
from worker.messaging.observing import UNHEARD, Observer
from worker.messaging.stamps import Received
from worker.messaging.transport import Ack, Delivery, QueueSpec, Release, Transport
from worker.runtime.taking.ahead import Ahead
from worker.runtime.taking.fetching import Fetching
from worker.runtime.taking.leased import Leased
from worker.runtime.taking.pace import Pace
from worker.runtime.taking.prospect import Prospect
from worker.runtime.taking.settlements import Settlements
from worker.runtime.taking.subscriber import Subscriber
from worker.runtime.taking.under_way import UnderWay

RECEIVE_WAIT = 1.0
"""Seconds that one receive waits for messages."""

log = structlog.stdlib.get_logger("worker.consumer")


class Consumer:
    """Takes one queue's messages ahead of the slots, and settles them in batches.

    Args:
        transport: where the queue is.
        spec: the queue.
        slots: handlers that run at once in this process.
        concurrency: messages of this queue that run at once; None for the slots.
        chains: the compiled chain of each of its types.
        wake: called when messages have come.
        room: asks the worker how many more messages this consumer may take.
        rank: place among the queues that were named, lower first.
        wait: seconds that one receive waits for messages.
        thorough: it must be known for sure when the queue is empty: for a burst.
        observer: hears what is received and how settlements are answered.

    Attributes:
        outranks: there are lesser queues, whose messages are started only while this one is known to be empty.
        outranked: there are better ones; it takes ahead only after a slot has come down to it.
        fetching: receives its messages.
        settlements: what became of its messages, on its way to the broker.
        leased: what of it is held by a lease: what is lost is forgotten, or its handler is cancelled.
        under_way: which task handles what of it; the code that handles what ``take`` started notes it there.
        apart: whether each of its messages is handled in a context of its own: one has set variables.
        ending: whether what still runs is being cancelled, to be given back.
    """

    def __init__(
        self,
        transport: Transport,
        spec: QueueSpec,
        *,
        slots: int,
        concurrency: int | None,
        chains: dict[str, CallNext],
        wake: Callable[[], None],
        room: Callable[[Consumer], int],
        rank: int = 0,
        wait: float = RECEIVE_WAIT,
        thorough: bool = False,
        observer: Observer = UNHEARD,
    ) -> None:
        self.transport = transport
        self.spec = spec
        self.types = spec.types
        self.chains = chains
        self.concurrency = min(concurrency or slots, slots)
        self.rank = rank
        self.received = (Received(transport.name, spec.name),)
        self.buffer: deque[Delivery] = deque()
        self.running = 0
        self.taken = 0
        self.empty_since = -1
        self.stuck: str | None = None
        self.took_at = 0.0
        self.pace = Pace(wake)
        self.apart = False
        self.ending = False
        self.waits = False  # for an exclusive command
        self.outranks = self.outranked = False
        self.prospect = Prospect(wake)
        self._room = room
        self._wake = wake
        self._subscriber = Subscriber(transport, spec, slots, self.recall)
        self._full = False
        self.leased = Leased(lambda: self._subscriber.leasing, self._lost_lease)
        self.under_way = UnderWay()
        self._ahead = Ahead(slots)
        self.fetching = Fetching(
            self,
            self._subscriber,
            transport=transport.name,
            queue=spec.name,
            wake=wake,
            wait=wait,
            thorough=thorough,
        )
        self._heard = observer.received
        settled = observer.settled and partial(observer.settled, self.received[0])
        self.settlements = Settlements(
            transport.name, spec.name, self._subscriber.settle, wake, self.leased.by_identity, settled
        )

    @property
    def down(self) -> str | None:
        """Why nothing can be received; None while the broker answers."""
        return self.fetching.down

    @property
    def paused(self) -> bool:
        """Whether nothing may be started."""
        return self._subscriber.paused

    def dry(self, epoch: int) -> bool:
        """Whether nothing is left to take as of ``epoch``; a paused queue has nothing to give."""
        return self.idle and ((self.paused and not self.waits) or self.empty_since == epoch)

    @property
    def idle(self) -> bool:
        """Whether nothing is held or being settled."""
        return not self.running and not self.buffer and self.settlements.idle

    @property
    def in_hand(self) -> int:
        """How many messages it has in hand: those that wait for a slot, and those that run."""
        return len(self.buffer) + self.running

    @property
    def hungry(self) -> bool:
        """Whether it could start a message at once and has none."""
        free = self.running < self.concurrency and self._room(self) > 0
        stands_back = self.outranked and self.fetching.crowded
        return free and not (self.buffer or self.paused or stands_back) and self.down is None

    @property
    def trouble(self) -> str | None:
        """What keeps it from taking messages; None when nothing does."""
        return self.down or self.stuck

    def awaited(self) -> bool:
        """Whether a slot that got nothing here should wait, as something may come at any moment.

        Not for what is away: paused, held back, broken off, or busy with as many as it may be.
        """
        if self.buffer or self.running >= self.concurrency or self.paused or self.trouble is not None:
            return False
        if self.pace.throttle is not None and not self.pace.allows(self.running):
            return False
        return self._room(self) > 0 and self.prospect.awaited()

    def reach(self) -> None:
        """A slot has come down to this queue: take something ahead."""
        self.fetching.reach()

    async def open(self) -> None:
        """Subscribe.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        await self._subscriber.opened()
        await self._subscriber.tell()

    async def pause(self) -> None:
        """Start nothing from now on; returns when what was taken and not started is back, nothing charged.

        Raises:
            TransportUnavailable: the broker does not answer; nothing is started all the same.
        """
        self._subscriber.paused = True
        self.stuck = None
        self.give_back()
        self._wake()  # slots that waited for it turn to lesser queues
        await self._subscriber.tell()
        await self.flush()

    async def resume(self) -> None:
        """Take messages again.

        Raises:
            TransportUnavailable: the broker does not answer.
        """
        self._subscriber.paused = False
        self.empty_since = -1  # as long as it was paused nothing was looked for
        self.prospect.unknown()
        self.took_at = asyncio.get_running_loop().time()
        self.fetching.look()
        self._wake()
        await self._subscriber.tell()

    async def fetch(self, epoch: Callable[[], int]) -> None:
        """Keep the buffer filled until cancelled; an outage is waited out and reported in ``down``.

        Raises:
            ConfigurationError: the first subscription is refused for what is configured.
        """
        self.took_at = asyncio.get_running_loop().time()
        await self.fetching.run(epoch)

    def space(self) -> int:
        """How many messages may be taken now."""
        return min(self._ahead.limit - len(self.buffer), self._room(self))

    def suspect(self, reason: str) -> None:
        """Take a new subscription before the next receive: this one brings nothing. ``stuck`` says why until then."""
        self.stuck = reason
        self._subscriber.suspect(reason)
        self.took_at = asyncio.get_running_loop().time()

    def take(self) -> tuple[Consumer, Delivery] | None:
        """Start the next message and tell whose it is; None while there is none that may start."""
        buffer = self.buffer
        if not buffer or self.running >= self.concurrency:
            return None
        pace = self.pace
        if pace.throttle is not None:
            if not pace.allows(self.running):
                return None
            pace.started()
        self.running += 1
        delivery = buffer.popleft()
        if self.fetching.crowded and len(buffer) * 2 <= self._ahead.limit:
            self.fetching.look()
        if not buffer:
            lasted = asyncio.get_running_loop().time() - self.took_at
            self._ahead.used_up(lasted, full=self._full)
        return self, delivery

    def left(self, task: asyncio.Task[None]) -> None:
        """End what ``take`` started and a task has handled, once its settlement is on its way."""
        self.running -= 1
        under_way = self.under_way
        del under_way.tasks[task]
        if under_way.losing:
            under_way.losing.pop(task, None)
        if self.pace.throttle is not None:
            self.pace.left()

    def give_back(self) -> None:
        """Return what was taken and not started, nothing charged."""
        while self.buffer:
            self.settlements.add(Release(self.buffer.popleft()))

    def recall(self) -> None:
        """Return what was not started, and take what else there is."""
        self.give_back()
        self.nudge()

    def nudge(self) -> None:
        """Let the fetching go on after room was made elsewhere."""
        self.fetching.look()

    def lost(self, delivery: Delivery) -> bool:
        """Whether its handler was cancelled, as another worker has the message."""
        return self.under_way.lost(delivery)

    async def flush(self) -> None:
        """Wait until everything that was settled has been told to the broker."""
        await self.settlements.flush()

    async def close(self, grace: float) -> None:
        """Give back the rest and let go of the queue."""
        self.give_back()
        await self.flush()
        await self._subscriber.close(grace)

    def took(self, got: Sequence[Delivery], *, full: bool) -> None:
        """Hold what was received until a slot takes it; ``full``: as many as were asked for."""
        self.taken += len(got)
        if self._heard is not None:
            self._heard(self.received[0], got)
        self._full = full
        self.took_at = asyncio.get_running_loop().time()
        self.stuck = None
        if self._subscriber.leasing is not None:
            self.leased.took(got)
        for delivery in (known := self.settlements.before.among(got)):
            log.info("handled before; acknowledged again", id=delivery.id, queue=self.spec.name)
            self.settlements.add(Ack(delivery))
        self.buffer.extend([one for one in got if one not in known] if known else got)
        if self.paused:  # received just before, and not handed over yet
            self.give_back()

    def _lost_lease(self, delivery: Delivery) -> None:
        log.warning("lease lost", id=delivery.id, queue=self.spec.name, transport=self.transport.name)
        if delivery in self.buffer:
            self.buffer.remove(delivery)
            self.nudge()
        else:
            self.under_way.lose(delivery)
