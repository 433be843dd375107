"""The worker: receive, dispatch, settle; until stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from worker.errors import Unavailable
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope, Undecodable
from worker.messaging.failure import FailureStore
from worker.messaging.identity import Clock
from worker.messaging.serializer import Serializer
from worker.messaging.stamps import Replay
from worker.messaging.status import StatusChange, StatusRecorder
from worker.messaging.transport import Ack, Delivery, Release
from worker.runtime.consumer import Consumer
from worker.runtime.events import Finished, Listener
from worker.runtime.limits import Limits
from worker.runtime.settlement import Settler, Verdict

POISON_DEATHS = 20
"""Deliveries that ended with the worker's death before a message counts as poison: far above bad luck."""

_TICK = 0.25
_FLUSH_TIMEOUT = 10.0
_STREAK = 32
"""Messages after which a slot lets others run: receiving and settling go on beside quick handlers."""


log = structlog.stdlib.get_logger("worker")


class Worker:
    """Runs handlers for the consumers' messages in a fixed number of slots.

    A slot that is free takes from the consumer of the highest priority that has something ready. Slots are
    long-lived tasks; the next one is woken only while there is more to take, so that handlers which never
    wait cost no task switch.

    Args:
        registry: the declared types.
        serializer: reads deliveries.
        settler: decides about what failed.
        status: takes the steps of tracked commands; None to keep none.
        failures: asked whether a replayed message is a twin.
        slots: handlers that run at once.
        limits: when to stop by itself.
        clock: seconds since the epoch.
        listener: told about each settled message.
        pending: counts what is still to be sent to queues; a burst waits for it.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        serializer: Serializer,
        settler: Settler,
        status: StatusRecorder | None,
        failures: FailureStore,
        slots: int,
        limits: Limits,
        clock: Clock,
        listener: Listener | None = None,
        pending: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self.consumers: list[Consumer] = []
        self.slots = slots
        self._registry = registry
        self._serializer = serializer
        self._settler = settler
        self._failures = failures
        self._limits = limits
        self._clock = clock
        self._listener = listener
        self._status = status
        self._tracked = {
            name: message.track and message.kind == "command" and status is not None
            for name, message in registry.messages.items()
        }
        self._asleep: deque[asyncio.Future[None]] = deque()
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._epoch = 0
        self._confirmed = -1
        self._pending = pending
        self._busy = 0
        self.stopped_by: str | None = None

    @property
    def stopping(self) -> bool:
        """Whether it takes nothing new any more."""
        return self._stopping.is_set()

    def add(self, consumers: Sequence[Consumer]) -> None:
        """Take from these too; a free slot looks at the higher priority first, then at the earlier named."""
        self.consumers = sorted([*self.consumers, *consumers], key=lambda c: (c.rank, -c.spec.priority))

    def stop(self, reason: str = "stopped") -> None:
        """Take nothing new, finish what runs. Idempotent."""
        if not self._stopping.is_set():
            self.stopped_by = reason
            self._stopping.set()
            self._changed.set()

    def room(self) -> int:
        """How many more messages may be taken before the limit."""
        return self._limits.room(sum(len(consumer.held) for consumer in self.consumers))

    def wake(self) -> None:
        """Let a free slot look for work."""
        self._changed.set()
        if self._asleep and not self._stopping.is_set():
            future = self._asleep.popleft()
            if not future.done():
                future.set_result(None)

    async def run(self, graceful_timeout: float, *, burst: bool = False) -> None:
        """Work until ``stop`` or a limit, then finish what runs within ``graceful_timeout`` seconds.

        What still runs then is cancelled and given back, nothing charged.
        """
        slots = [asyncio.create_task(self._slot()) for _ in range(self.slots)]
        fetching = [asyncio.create_task(consumer.fetch(lambda: self._epoch)) for consumer in self.consumers]
        leases = asyncio.create_task(self._extend())
        try:
            await self._watch(burst=burst)
        finally:
            self.stop("cancelled")
            await _cancel(fetching)
            for consumer in self.consumers:
                consumer.give_back()
            await self._drain(graceful_timeout)
            await _cancel(slots)
            await _cancel([leases])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_TIMEOUT):
                    for consumer in self.consumers:
                        await consumer.flush()

    async def _watch(self, *, burst: bool) -> None:
        while not self._stopping.is_set():
            reached = self._limits.reached()
            if reached is not None:
                self.stop(reached)
                return
            if burst and self._dry() and await self._surely_dry():
                self.stop("nothing left")
                return
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._changed.wait()

    def _dry(self) -> bool:
        """Whether every queue was found empty after the last message was done with."""
        return self._busy == 0 and all(
            consumer.idle and consumer.empty_since == self._epoch for consumer in self.consumers
        )

    async def _surely_dry(self) -> bool:
        """Whether queues were found empty once more after nothing was about to be sent to them."""
        if self._pending is not None and await self._pending():
            return False
        if self._confirmed == self._epoch:
            return True
        self._epoch += 1
        self._confirmed = self._epoch
        return False

    async def _drain(self, timeout: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self._busy:
                    self._changed.clear()
                    await self._changed.wait()

    async def _extend(self) -> None:
        while True:
            leases = [consumer.lease for consumer in self.consumers if consumer.lease is not None]
            await asyncio.sleep(min(leases) / 3 if leases else 1.0)
            for consumer in self.consumers:
                try:
                    await consumer.extend()
                except Unavailable as error:
                    log.warning("leases not extended", queue=consumer.spec.name, error=str(error))

    async def _slot(self) -> None:
        loop = asyncio.get_running_loop()
        streak = 0
        while True:
            streak += 1
            if streak % _STREAK == 0:
                await asyncio.sleep(0)
            consumer = next((one for one in self.consumers if one.ready), None)
            if consumer is None or self._stopping.is_set() or not self._limits.may_start(self._busy):
                future: asyncio.Future[None] = loop.create_future()
                self._asleep.append(future)
                await future
                continue
            delivery = consumer.take()
            if self._asleep:
                self.wake()
            self._busy += 1
            try:
                await self._process(consumer, delivery)
            finally:
                self._busy -= 1
                self._epoch += 1
                if self._limits.counts:  # one that did not count made room, perhaps on another queue
                    for one in self.consumers:
                        one.nudge()
                if not self._busy:
                    self._changed.set()

    async def _process(self, consumer: Consumer, delivery: Delivery) -> None:
        """Handle one delivery and settle it, whatever happens."""
        try:
            envelope = self._serializer.decode(
                delivery.body, delivery.headers, consumer.types, delivery.id, consumer.received
            )
            if isinstance(envelope, Undecodable) or envelope.type not in consumer.chains:
                await self._unread(consumer, delivery, envelope)
                return
            if delivery.deaths >= POISON_DEATHS:
                self._ended(consumer, envelope, await self._settler.poisoned(consumer, delivery, envelope))
                return
            ticket = envelope.get(Replay) if len(envelope.stamps) > 1 else None
            if ticket is not None and await self._failures.stale(envelope.id, ticket.ticket):
                log.info("replay dropped: it is done or was taken back", type=envelope.type, id=envelope.id)
                consumer.finish(Ack(delivery))
                return
            tracked = self._tracked[envelope.type]
            if tracked:
                self._record(consumer, envelope, "running")
            try:
                await consumer.chains[envelope.type](envelope)
            except Exception as error:
                self._ended(
                    consumer, envelope, await self._settler.failed(consumer, delivery, envelope, error)
                )
                return
            if ticket is not None:
                await self._failures.resolve(envelope.id, ticket.ticket)
            self._limits.finished += 1
            consumer.finish(Ack(delivery))
            if tracked:
                self._record(consumer, envelope, "done")
            if self._listener is not None:
                self._listener(Finished(envelope.type, envelope.id, "done", envelope))
        except asyncio.CancelledError:
            consumer.finish(Release(delivery))
            raise
        except Unavailable as error:
            log.warning("message given back", id=delivery.id, error=str(error))
            consumer.finish(Release(delivery, 1.0))
        except Exception:
            log.exception("message given back: the worker itself failed", id=delivery.id)
            consumer.finish(Release(delivery, 1.0))

    async def _unread(
        self, consumer: Consumer, delivery: Delivery, read: Envelope[Any] | Undecodable
    ) -> None:
        if isinstance(read, Envelope):
            error = ValueError(f"{read.type} does not belong on queue {consumer.spec.name}")
            read = Undecodable(
                body=delivery.body, error=error, type=read.type, id=read.id, attempt=read.attempt
            )
        verdict = await self._settler.undecodable(consumer, delivery, read)
        self._count(verdict)
        consumer.finish(verdict.settlement)
        if self._listener is not None:
            self._listener(Finished(read.type, read.id or delivery.id, verdict.outcome))

    def _ended(self, consumer: Consumer, envelope: Envelope[Any], verdict: Verdict) -> None:
        self._count(verdict)
        consumer.finish(verdict.settlement)
        if self._tracked[envelope.type]:
            state = {"returned": "accepted"}.get(verdict.outcome, verdict.outcome)
            self._record(consumer, envelope, state, verdict.error)
        if self._listener is not None:
            self._listener(Finished(envelope.type, envelope.id, verdict.outcome, envelope))

    def _count(self, verdict: Verdict) -> None:
        if verdict.outcome in {"retrying", "failed"}:
            self._limits.finished += 1
            self._limits.failures += 1
            reached = self._limits.reached()
            if reached is not None:  # at once: a slot that waited for the next look would start one more
                self.stop(reached)

    def _record(
        self, consumer: Consumer, envelope: Envelope[Any], state: Any, error: BaseException | None = None
    ) -> None:
        assert self._status is not None
        shown = getattr(error, "failures", None)
        behind = shown[0][1] if shown else error
        now = self._clock()
        self._status.record(
            StatusChange(
                id=envelope.id,
                type=envelope.type,
                state=state,
                at=now,
                transport=consumer.transport.name,
                queue=consumer.spec.name,
                attempt=envelope.attempt,
                accepted_at=envelope.time or None,
                started_at=now if state == "running" else None,
                error_type=type(behind).__name__ if behind is not None else None,
                error_message=str(behind)[:4000] if behind is not None else None,
            )
        )


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
