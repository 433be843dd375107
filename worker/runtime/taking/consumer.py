"""A consumer: one queue's subscription, what was taken from it and waits for a slot, and what runs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from worker.errors import ConfigurationError, TransportUnavailable
from worker.messaging.middleware import CallNext
from worker.messaging.observing import NOBODY, Observer
from worker.messaging.stamps import Received
from worker.messaging.transport import (
    Delivery,
    QueueSpec,
    Release,
    Settled,
    Transport,
)
from worker.runtime.taking.pace import Pace
from worker.runtime.taking.prospect import Prospect
from worker.runtime.taking.settlements import Settlements
from worker.runtime.taking.subscriber import Subscriber

MAX_PREFETCH = 512
"""Messages of one queue that a process holds at most beyond what runs."""

_QUICK = 0.05
_SLOW = 0.5
RECEIVE_WAIT = 1.0
"""Seconds that one receive waits for messages."""

_FIRST_LOOK, _LONGEST_LOOK = 0.02, 0.5
"""Seconds between questions whether a queue has more, while it is said to have some and none comes."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


log = structlog.stdlib.get_logger("worker.consumer")


class Consumer:
    """Takes one queue's messages ahead of the slots, and settles them in batches.

    How much it takes ahead follows the handlers' speed: twice as much when a batch is gone in no time, less
    when it lies about, so that quick handlers never wait for the broker and slow ones do not hoard.

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
        settlements: what became of its messages, on its way to the broker.
        apart: whether each of its messages is handled in a context of its own: one has set variables.
        ending: whether what still runs is being cancelled, to be given back.
    """

    __slots__ = (  # more attributes than CPython keeps fast in a dictionary of an instance
        "_crowded",
        "_full",
        "_heard",
        "_leased",
        "_look_after",
        "_prefetch",
        "_reached",
        "_room",
        "_slots",
        "_space",
        "_subscriber",
        "_thorough",
        "_wait",
        "_wake",
        "apart",
        "buffer",
        "chains",
        "concurrency",
        "down",
        "empty_since",
        "ending",
        "outranked",
        "outranks",
        "pace",
        "prospect",
        "rank",
        "received",
        "running",
        "settlements",
        "spec",
        "stuck",
        "taken",
        "took_at",
        "transport",
        "types",
        "waits",
    )

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
        observer: Observer = NOBODY,
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
        self.down: str | None = None
        self.stuck: str | None = None
        self.took_at = 0.0
        self.pace = Pace(wake)
        self.apart = False
        self.ending = False
        self.waits = False  # for an exclusive command
        self.outranks = self.outranked = False
        self.prospect = Prospect(wake)
        self._reached = False
        self._thorough = thorough
        self._look_after = 0.0
        self._slots = slots
        self._prefetch = slots
        self._room = room
        self._wait = wait
        self._wake = wake
        self._subscriber = Subscriber(transport, spec, slots, self.recall)
        self._full = False
        self._crowded = False
        self._space = asyncio.Event()
        self._leased: dict[int, Delivery] = {}
        self._heard = observer.received
        settled = observer.settled and partial(observer.settled, self.received[0])
        self.settlements = Settlements(
            transport.name, spec.name, self._subscriber.settle, wake, self._leased, settled
        )

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
        stands_back = self.outranked and self._crowded
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
        if not self._reached:
            self._reached = True
            self._space.set()

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
        self.prospect.unknown()
        self.took_at = asyncio.get_running_loop().time()
        self._space.set()
        self._wake()
        await self._subscriber.tell()

    async def fetch(self, epoch: Callable[[], int]) -> None:
        """Keep the buffer filled until cancelled; an outage is waited out and reported in ``down``.

        Raises:
            ConfigurationError: the first subscription is refused for what is configured.
        """
        pause = _FIRST_PAUSE
        self.took_at = asyncio.get_running_loop().time()
        while True:
            limit = min(self._prefetch - len(self.buffer), self._room(self))
            stands_back = self.outranked and not self._reached
            if limit <= 0 or stands_back or (self.paused and not self._subscriber.open):
                self._crowded = True
                self._space.clear()
                await self._space.wait()
                self._crowded = False
                continue
            self._reached = False
            before = epoch()
            try:
                got, empty = await self._look(limit, known=self.empty_since == before)
            except Exception as error:
                if isinstance(error, ConfigurationError) and not self._subscriber.begun:
                    raise
                # a driver's fault must not leave the queue deaf for good
                self._cannot_receive(error)
                self._wake()  # slots that waited for it turn to lesser queues
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            if self.down is not None:
                log.info("broker answers again", transport=self.transport.name, queue=self.spec.name)
                self.down = None
            self.prospect.read(got=bool(got), empty=empty)
            if got:
                self._took(got, full=len(got) >= limit)
            elif empty:
                self.empty_since = before
            self._wake()

    async def _look(self, limit: int, *, known: bool) -> tuple[Sequence[Delivery], bool]:
        """Receive, and tell whether that was all there is; ``known`` is whether nothing has happened since it was."""
        subscriber = self._subscriber
        if not (self.outranks or self._thorough):
            got = await subscriber.receive(limit, self._wait)
            return got, not got
        got = await subscriber.receive(limit, self._wait if self.prospect.empty else self._look_after)
        if got:
            self._look_after = 0.0
            return got, subscriber.foretelling is None and len(got) < limit
        if subscriber.foretelling is None or (known and self.prospect.empty) or self.paused:
            return got, True
        if not await subscriber.exhausted():
            self._look_after = min(max(self._look_after * 2, _FIRST_LOOK), _LONGEST_LOOK)
            return got, False
        self._look_after = 0.0
        got = await subscriber.receive(limit, 0.0)  # it was on its way when the broker answered
        return got, not got

    def _cannot_receive(self, error: Exception) -> None:
        """Say in ``down`` why; an outage is logged once, and what is configured wrongly, a driver's fault each time."""
        bound = log.bind(transport=self.transport.name, queue=self.spec.name)
        if isinstance(error, ConfigurationError):
            if self.down is None:
                bound.error("queue cannot be consumed as it is configured", error=str(error))
            self.down = str(error)
            return
        if not isinstance(error, TransportUnavailable):
            bound.exception("receiving failed")
            self.down = f"{type(error).__name__}: {error}"
            return
        if self.down is None:
            bound.warning("broker does not answer", error=str(error))
        self.down = str(error)

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
        if self._crowded and len(buffer) * 2 <= self._prefetch:
            self._space.set()
        if not buffer:
            self._adapt()
        return self, delivery

    def left(self) -> None:
        """End what ``take`` started, once its settlement is on its way."""
        self.running -= 1
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
        self._space.set()

    async def extend(self) -> None:
        """Hold what is held for another lease; what was lost and has not started is forgotten."""
        leasing = self._subscriber.leasing
        if leasing is None or not self._leased:
            return
        deliveries = list(self._leased.values())
        for delivery, settled in zip(deliveries, await leasing.extend(deliveries), strict=True):
            if settled is Settled.LOST and id(delivery) in self._leased:  # else it was settled meanwhile
                log.warning("lease lost", id=delivery.id, queue=self.spec.name, transport=self.transport.name)
                del self._leased[id(delivery)]
                if delivery in self.buffer:
                    self.buffer.remove(delivery)
                    self.nudge()

    @property
    def lease(self) -> float | None:
        """Seconds until a held message comes back; None where the broker watches the connection."""
        leasing = self._subscriber.leasing
        return None if leasing is None else leasing.lease

    async def flush(self) -> None:
        """Wait until everything that was settled has been told to the broker."""
        await self.settlements.flush()

    async def close(self, grace: float) -> None:
        """Give back the rest and let go of the queue."""
        self.give_back()
        await self.flush()
        await self._subscriber.close(grace)

    def _took(self, got: Sequence[Delivery], *, full: bool) -> None:
        self.taken += len(got)
        if self._heard is not None:
            self._heard(self.received[0], got)
        self._full = full
        self.took_at = asyncio.get_running_loop().time()
        self.stuck = None
        if self._subscriber.leasing is not None:
            self._leased.update({id(delivery): delivery for delivery in got})
        self.buffer.extend(got)
        if self.paused:  # received just before, and not handed over yet
            self.give_back()

    def _adapt(self) -> None:
        lasted = asyncio.get_running_loop().time() - self.took_at
        if lasted < _QUICK and self._full:
            self._prefetch = min(self._prefetch * 2, max(MAX_PREFETCH, self._slots))
        elif lasted > _SLOW:
            self._prefetch = max(self._prefetch // 2, self._slots)
