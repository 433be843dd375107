"""The worker: receive, dispatch, settle; until stopped."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from worker.errors import ConfigurationError
from worker.messaging.transport import Delivery
from worker.runtime.limits import Limits
from worker.runtime.own_tasks import IN_APPLICATION
from worker.runtime.taking.consumer import Consumer
from worker.runtime.taking.dryness import Dryness
from worker.runtime.taking.leases import extend_leases
from worker.runtime.unclosed import Unclosed

Process = Callable[[Consumer, Delivery], Awaitable[None]]
"""Handles and settles a delivery of a consumer; never raises but when it is cancelled."""

_TICK = 0.25
_FLUSH_TIMEOUT = 10.0
_LAST_MOMENT = 1.0
"""Seconds for handlers to end that were cancelled; others' messages are given back after that."""

_STREAK = 32
"""Messages of a turn, after which a slot lets others run: receiving and settling go on beside quick handlers."""


log = structlog.stdlib.get_logger("worker")


class Worker:
    """Runs handlers for the consumers' messages in a fixed number of slots.

    A slot that is free takes from the first consumers by rank and priority that have something ready. Slots are
    long-lived tasks; the next one is woken only while there is more to take, so that handlers which never
    wait cost no task switch. In its turn a slot starts a message when the one before is settled. Where a message
    has changed the slot's context, or cancelled its task, the slot goes on in a new task with the context as it was, and
    that queue's messages have contexts of their own from then on.

    Args:
        process: handles and settles the deliveries of a turn, whatever happens.
        slots: handlers that run at once.
        limits: when to stop by itself.
        pending: counts what is still to be sent to queues; a burst waits for it.
        on_stop: called the moment it is to stop, whatever the reason; handlers may hold up everything after that.
    """

    def __init__(
        self,
        process: Process,
        *,
        slots: int,
        limits: Limits,
        pending: Callable[[], Awaitable[int]] | None = None,
        on_stop: Callable[[], object] = lambda: None,
    ) -> None:
        self.consumers: list[Consumer] = []
        self._next = self._in_turn
        self.slots = slots
        self.process = process
        self._limits = limits
        self._asleep: deque[asyncio.Future[None]] = deque()
        self._stirring = False  # one was woken and has not looked yet; it wakes the next while there is more
        self._slots: set[asyncio.Task[None]] = set()
        self._fresh = contextvars.Context()
        self._ending = False
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._awaited = limits.given
        self._dryness = Dryness(pending)
        self._fault: BaseException | None = None
        self.stopped_by: str | None = None
        self._on_stop = on_stop

    @property
    def stopping(self) -> bool:
        """Whether it takes nothing new any more."""
        return self._stopping.is_set()

    async def stopped(self) -> None:
        """Wait until it takes nothing new any more."""
        await self._stopping.wait()

    async def expired(self) -> None:
        """Stop at a limit; for the time before ``run``, which looks at them itself."""
        while (reached := self._limits.reached()) is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._stopping.wait()
                    return
        self.stop(reached)

    def add(self, consumers: Sequence[Consumer]) -> None:
        """Take from these too; a free slot looks at the earlier named first, then at the higher priority."""
        self.consumers = sorted([*self.consumers, *consumers], key=lambda c: (c.rank, -c.spec.priority))
        tiers: dict[tuple[int, int], deque[Consumer]] = {}
        for one in self.consumers:
            tiers.setdefault((one.rank, -one.spec.priority), deque()).append(one)
        self._tiers = list(tiers.values())
        for place, tier in enumerate(self._tiers):
            for one in tier:
                one.outranks, one.outranked = place < len(tiers) - 1, place > 0
        self._next = self.consumers[0].take if len(self.consumers) == 1 else self._in_turn

    def stop(self, reason: str = "stopped") -> None:
        """Take nothing new, finish what runs. Idempotent."""
        if not self._stopping.is_set():
            self.stopped_by = reason
            self._awaited = True
            self._stopping.set()
            self._changed.set()
            self._on_stop()

    def room(self, consumer: Consumer) -> int:
        """How many more messages a consumer may take before the limit; what waits of lesser ones gives way to it."""
        if not self._limits.counts:
            return 1 << 30
        place = (consumer.rank, -consumer.spec.priority)
        held = sum(
            one.running if (one.rank, -one.spec.priority) > place else one.in_hand for one in self.consumers
        )
        return self._limits.room(held)

    def troubles(self) -> tuple[str, ...]:
        """Say what keeps it from taking messages of some queues now, a sentence each."""
        return tuple(f"queue {one.spec.name}: {one.trouble}" for one in self.consumers if one.trouble)

    def wake(self) -> None:
        """Let a free slot look for work."""
        if self._awaited:
            self._changed.set()
        if self._asleep and not self._stirring and not self._stopping.is_set():
            self._stirring = True
            self._asleep.popleft().set_result(None)

    async def run(self, graceful_timeout: float, *, burst: bool = False) -> None:
        """Work until ``stop`` or a limit, then finish what runs within ``graceful_timeout`` seconds.

        What still runs then is cancelled and given back, nothing charged.

        Raises:
            ConfigurationError: a transport refuses its first subscription for what is configured.
            Exception: a fault of the worker's own; never one of a handler, a broker or the database.
        """
        self._awaited = self._awaited or burst
        self._fresh = contextvars.copy_context()
        self._fresh.run(IN_APPLICATION.set, True)
        for _ in range(self.slots):
            self._open_slot()
        fetching = [
            asyncio.create_task(consumer.fetch(lambda: self._dryness.epoch(self.consumers)))
            for consumer in self.consumers
        ]
        leases = asyncio.create_task(extend_leases(lambda: self.consumers))
        for task in (*fetching, leases):
            task.add_done_callback(self._ended)
        try:
            await self._watch(burst=burst)
        finally:
            self.stop("cancelled")
            await _cancel(fetching)
            for consumer in self.consumers:
                consumer.give_back()
            await self._drain(graceful_timeout)
            self._ending = True
            for consumer in self.consumers:
                consumer.ending = True
            await _cancel(list(self._slots), _LAST_MOMENT)
            await _cancel([leases])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_TIMEOUT):
                    for consumer in self.consumers:
                        await consumer.flush()
        if self._fault is not None:
            raise self._fault

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Stop when one of its own tasks has failed: a worker that takes nothing must not look alive."""
        if not task.cancelled() and task.exception() is not None:
            self._fault = self._fault or task.exception()
            if isinstance(self._fault, ConfigurationError):  # it is told at the end, with exit code 2
                self.stop("a fault of what is configured")
                return
            log.error("the worker itself failed; stopping", error=repr(self._fault))
            self.stop("a fault of its own")

    async def _watch(self, *, burst: bool) -> None:
        while not self._stopping.is_set():
            reached = self._limits.reached()
            if reached is not None:
                self.stop(reached)
                return
            if burst and await self._dryness.sure(self.consumers):
                self.stop("nothing left")
                return
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._changed.wait()

    def _running(self) -> int:
        return sum(consumer.running for consumer in self.consumers)

    async def _drain(self, timeout: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self._running():
                    self._changed.clear()
                    await self._changed.wait()

    def _in_turn(self) -> tuple[Consumer, Delivery] | None:
        """Start what is next: equals take turns, so that none starves behind a full queue.

        It comes down to lesser queues only while nothing may come of the better ones at any moment.
        """
        better: deque[Consumer] | None = None
        for tier in self._tiers:
            if better is not None:
                for consumer in better:
                    if consumer.awaited():
                        return None
                for consumer in tier:
                    consumer.reach()
            for _ in range(len(tier)):
                consumer = tier[0]
                tier.rotate(-1)
                started = consumer.take()
                if started is not None:
                    return started
            better = tier
        return None

    def _open_slot(self) -> None:
        """Start a slot in a context as it was before any message."""
        slot: Any = Unclosed(self._slot())
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(slot, context=self._fresh.copy())
        self._slots.add(task)
        task.add_done_callback(self._slots.discard)
        task.add_done_callback(self._ended)

    def _marked(self, task: asyncio.Task[None] | None) -> bool:
        """Whether a message has left something that the next one in the same task would meet."""
        try:  # two contexts in which nothing was set since are one tree inside: no variable is looked at
            return contextvars.copy_context() != self._fresh or (task is not None and task.cancelling() > 0)
        except BaseException:  # values that refuse to be compared
            return True

    def _may_start(self) -> bool:
        """Whether one more message may start now, as far as stops and limits go."""
        if self.stopped_by is not None:
            return False
        return not self._limits.given or self._limits.may_start(self._running())

    async def _slot(self) -> None:
        try:
            await self._work()
        except asyncio.CancelledError:
            if self._ending:
                raise
        if not self._ending:  # a handler cancelled this task, or left something in its context
            self._open_slot()

    async def _work(self) -> None:
        """Handle one message after the other, as long as none leaves anything that the next one would meet."""
        task: asyncio.Task[None] | None = asyncio.current_task()
        limits, process = self._limits, self.process
        streak = 0
        while not self._ending:
            started = self._next() if self._may_start() else None
            if started is None:
                await self._rest()
                continue
            if self._asleep and not self._stirring:
                self.wake()
            consumer, delivery = started
            try:
                await process(consumer, delivery)
            finally:
                consumer.left()
                if limits.given:
                    self._look_at_limits()
                if self._awaited and not self._running():
                    self._changed.set()
            if self._marked(task):
                consumer.apart = True
                return
            streak += 1
            if streak == _STREAK:
                streak = 0
                await asyncio.sleep(0)

    async def _rest(self) -> None:
        """Wait until woken."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asleep.append(future)
        try:
            await future
        finally:
            if future.cancelled():
                self._asleep.remove(future)
            else:
                self._stirring = False

    def _look_at_limits(self) -> None:
        if self._limits.failed_enough():  # now: the next look would come after one more has started
            self.stop(self._limits.reached() or "failure limit")
        if self._limits.counts:  # one that did not count made room, perhaps on another queue
            for one in self.consumers:
                one.nudge()


async def _cancel(tasks: Sequence[asyncio.Task[None]], within: float | None = None) -> None:
    """Cancel and wait; ``within`` these seconds, for those that may not heed it."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=within)
