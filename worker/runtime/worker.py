"""The worker: receive, dispatch, settle; until stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from worker.errors import ConfigurationError
from worker.runtime.limits import Limits
from worker.runtime.slots import Process, Slots, Started, nothing
from worker.runtime.taking.consumer import Consumer
from worker.runtime.taking.dryness import Dryness
from worker.runtime.taking.leases import extend_leases
from worker.runtime.taking.turns import Turns

_TICK = 0.25
_FLUSH_TIMEOUT = 10.0
_LAST_MOMENT = 1.0
"""Seconds for handlers to end that were cancelled; others' messages are given back after that."""

log = structlog.stdlib.get_logger("worker.slots")


class Worker:
    """Runs handlers for the consumers' messages in a fixed number of slots.

    A slot that is free takes from the first consumers by rank and priority that have something ready.

    Args:
        process: handles and settles a delivery, whatever happens.
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
        self._limits = limits
        self._slots = Slots(slots, process, self._left, self._ended)
        self._turns = Turns()
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._awaited = limits.given
        self._dryness = Dryness(pending)
        self._fault: BaseException | None = None
        self.stopped_by: str | None = None
        self._on_stop = on_stop

    @property
    def consumers(self) -> Sequence[Consumer]:
        """What it takes from, in order."""
        return self._turns.consumers

    @property
    def process(self) -> Process:
        """Handles and settles a delivery of one of its consumers."""
        return self._slots.process

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
        self._turns = Turns([*self.consumers, *consumers])
        if not self.stopping:
            self._slots.start = self._within_limits if self._limits.given else self._turns.next

    def stop(self, reason: str = "stopped") -> None:
        """Take nothing new, finish what runs. Idempotent."""
        if not self._stopping.is_set():
            self.stopped_by = reason
            self._awaited = self._slots.watched = True
            self._slots.start = nothing
            self._stopping.set()
            self._changed.set()
            self._on_stop()

    def room(self, consumer: Consumer) -> int:
        """How many more messages a consumer may take before the limit; what waits of lesser ones gives way to it."""
        if not self._limits.counts:
            return 1 << 30
        return self._limits.room(self._turns.before(consumer))

    def troubles(self) -> tuple[str, ...]:
        """Say what keeps it from taking messages of some queues now, a sentence each."""
        return tuple(f"queue {one.spec.name}: {one.trouble}" for one in self.consumers if one.trouble)

    def wake(self) -> None:
        """Let a free slot look for work."""
        if self._awaited:
            self._changed.set()
        if not self._stopping.is_set():
            self._slots.wake()

    async def run(self, graceful_timeout: float, *, burst: bool = False) -> None:
        """Work until ``stop`` or a limit, then finish what runs within ``graceful_timeout`` seconds.

        What still runs then is cancelled and given back, nothing charged.

        Raises:
            ConfigurationError: a transport refuses its first subscription for what is configured.
            Exception: a fault of the worker's own; never one of a handler, a broker or the database.
        """
        self._awaited = self._slots.watched = self._awaited or burst
        self._slots.open()
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
            for consumer in self.consumers:
                consumer.ending = True
            await self._slots.end(_LAST_MOMENT)
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

    async def _drain(self, timeout: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self._turns.running():
                    self._changed.clear()
                    await self._changed.wait()

    def _within_limits(self) -> Started | None:
        """Start the next message, unless a limit is against it."""
        return self._turns.next() if self._limits.may_start(self._turns.running()) else None

    def _left(self) -> None:
        """Look at limits, and whether all is done: a message has left."""
        if self._limits.given:
            self._look_at_limits()
        if self._awaited and not self._turns.running():
            self._changed.set()

    def _look_at_limits(self) -> None:
        if self._limits.failed_enough():  # now: the next look would come after one more has started
            self.stop(self._limits.reached() or "failure limit")
        if self._limits.counts:  # one that did not count made room, perhaps on another queue
            for one in self.consumers:
                one.nudge()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel and wait."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
