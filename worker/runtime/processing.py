"""Processing: what is done with one delivery, from its bytes to its settlement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from worker.errors import Paused, PoisonMessage, Unavailable
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope, Undecodable
from worker.messaging.failure import FailureStore
from worker.messaging.observing import Ended, How, Observer
from worker.messaging.outline import outline
from worker.messaging.own_context import OwnContext
from worker.messaging.serializer import Serializer
from worker.messaging.stamps import Replay
from worker.messaging.status import State
from worker.messaging.suspicion import Death
from worker.messaging.transport import Ack, Delivery, Release
from worker.runtime.deadly.exchange import Answer
from worker.runtime.deadly.quarantine import Quarantine, Work
from worker.runtime.limits import Limits
from worker.runtime.progress import Progress
from worker.runtime.settling.judge import Judge
from worker.runtime.settling.naming import named
from worker.runtime.settling.verdict import RETURN_DELAY, Verdict
from worker.runtime.taking.consumer import Consumer
from worker.texts import told

log = structlog.stdlib.get_logger("worker.processing")


class Processing:
    """Decodes a delivery, runs its chain and settles it; what fails is the judge's to judge.

    Args:
        registry: the declared types.
        serializer: reads deliveries.
        judge: decides about what failed.
        progress: notes where tracked commands stand.
        failures: asked whether a replayed message is a twin.
        limits: counts what is done.
        observer: hears when attempts start, and how they end.
        succeeded: told the type of each message that was handled.
        quarantine: makes what handles messages that were handed out before; None to handle them as any other.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        serializer: Serializer,
        judge: Judge,
        progress: Progress,
        failures: FailureStore,
        limits: Limits,
        observer: Observer,
        succeeded: Callable[[str], None] | None = None,
        quarantine: Callable[[Work], Quarantine] | None = None,
    ) -> None:
        self.quarantine = None if quarantine is None else quarantine(self)
        self._registry = registry
        self._decode = serializer.decode
        self._judge = judge
        self._failures = failures
        self._limits = limits
        self._observer = observer
        self._observed = observer.started is not None or observer.ended is not None
        self._succeeded = succeeded
        self._progress = progress
        self._tracked = progress.tracks

    async def handle(self, consumer: Consumer, delivery: Delivery, *, quarantined: bool = False) -> None:
        """Handle a delivery and settle it, whatever happens.

        What was handed out before goes through the quarantine, unless it comes from there (``quarantined``).
        """
        if delivery.redelivered and not quarantined and self.quarantine is not None:
            await self.quarantine.handle(consumer, delivery)
            return
        envelope: Envelope[Any] | Undecodable | None = None
        begun: float | None = None
        try:
            envelope = self._decode(
                delivery.body, delivery.headers, consumer.types, delivery.id, consumer.received
            )
            if type(envelope) is Undecodable or (chain := consumer.chains.get(envelope.type)) is None:
                await self._unread(consumer, delivery, envelope)
                return
            ticket = envelope.get(Replay) if len(envelope.stamps) > 1 else None
            if ticket is not None and await self._failures.stale(envelope.id, ticket.ticket):
                named(log, consumer, delivery, envelope).info("replay dropped: it is done or was taken back")
                consumer.settlements.add(Ack(delivery))
                return
            tracked = self._tracked[envelope.type]
            if tracked:
                again = ticket is not None and envelope.attempt == 1
                self._progress.note(consumer.received[0], envelope, "running", again=again)
            if self._observed:
                begun = self._begin(consumer, envelope)
            try:
                if consumer.apart:
                    await OwnContext(chain(envelope))
                else:
                    await chain(envelope)
            except Paused:
                verdict = Verdict(Release(delivery), "returned", envelope.attempt)
                self._ended(consumer, envelope, verdict, begun)
                return
            except BaseException as error:
                if consumer.ending:
                    raise asyncio.CancelledError from error
                _take_back_cancelling()
                if consumer.lost(delivery):
                    self._lose(consumer, delivery, envelope, begun)
                    return
                consumer.pace.ended(well=False)
                verdict = await self._judge.failed(consumer, delivery, envelope, error)
                self._ended(consumer, envelope, verdict, begun)
                return
            if ticket is not None:
                await self._failures.resolve(envelope.id, ticket.ticket)
            self._limits.finished += 1
            if consumer.pace.throttle is not None:
                consumer.pace.ended(well=True)
            if self._succeeded is not None:
                self._succeeded(envelope.type)
            consumer.settlements.add(Ack(delivery))
            if tracked:
                self._progress.note(consumer.received[0], envelope, "done")
            if self._observed:
                self._tell(consumer, "done", envelope, begun)
        except Unavailable as error:
            named(log, consumer, delivery, envelope).warning("message given back", error=told(error))
            self._returned(consumer, delivery, envelope, error, begun)
        except BaseException as fault:
            if consumer.ending and isinstance(fault, asyncio.CancelledError):
                named(log, consumer, delivery, envelope).warning(
                    "handler cancelled: it had not ended in the graceful timeout; its message is given back"
                )
                consumer.settlements.add(Release(delivery))
                if isinstance(envelope, Envelope) and self._tracked.get(envelope.type):
                    self._progress.note(consumer.received[0], envelope, "accepted")
                raise
            if consumer.lost(delivery):
                _take_back_cancelling()
                self._lose(consumer, delivery, envelope, begun)
                return
            await self._faulty(consumer, delivery, envelope, fault, begun)

    def _lose(
        self,
        consumer: Consumer,
        delivery: Delivery,
        envelope: Envelope[Any] | Undecodable | None,
        begun: float | None,
    ) -> None:
        """Leave to another worker what was lost to it; its status is that one's, and nothing is charged."""
        told_of = named(log, consumer, delivery, envelope)
        told_of.warning("handler cancelled: its message is another worker's now")
        consumer.settlements.add(Release(delivery))  # a broker that still counts it here has it back
        if isinstance(envelope, Envelope) and self._observed:
            self._tell(consumer, "returned", envelope, begun)

    async def _faulty(
        self,
        consumer: Consumer,
        delivery: Delivery,
        envelope: Envelope[Any] | Undecodable | None,
        fault: BaseException,
        begun: float | None = None,
    ) -> None:
        """Settle what the worker itself failed over: it is charged, so that it cannot come for ever."""
        known = envelope if isinstance(envelope, Envelope) and envelope.type in self._tracked else None
        verdict = await self._judge.faulty(consumer, delivery, known, fault)
        if known is not None:
            self._ended(consumer, known, verdict, begun)
        else:
            self._count(verdict)
            consumer.settlements.add(verdict.settlement)

    def _returned(
        self,
        consumer: Consumer,
        delivery: Delivery,
        envelope: Envelope[Any] | Undecodable | None,
        outage: Unavailable,
        begun: float | None,
    ) -> None:
        """Give back what something outside did not answer for."""
        if isinstance(envelope, Envelope) and envelope.type in self._tracked:
            verdict = Verdict(Release(delivery, RETURN_DELAY), "returned", envelope.attempt, outage)
            self._ended(consumer, envelope, verdict, begun)
        else:
            consumer.settlements.add(Release(delivery, RETURN_DELAY))

    async def condemn(self, consumer: Consumer, delivery: Delivery, deaths: Sequence[Death]) -> None:
        """Put a message that killed its workers into the failure store; while that does not answer it is given back."""
        # reading its data may be what kills
        envelope = outline(self._registry, delivery.body, delivery.headers, consumer.types, delivery.id)
        if envelope is None or envelope.type not in consumer.chains:
            unread = Undecodable(body=delivery.body, error=PoisonMessage(deaths[-1].how))
            await self._unread(consumer, delivery, unread)
            return
        verdict = await self._judge.poisoned(consumer, delivery, envelope, deaths)
        self._ended(consumer, envelope, verdict)

    async def faulty(self, consumer: Consumer, delivery: Delivery, fault: Exception) -> None:
        """Settle what the worker itself failed over before it was handled."""
        await self._faulty(consumer, delivery, self._read(consumer, delivery), fault)

    def ended(self, consumer: Consumer, answer: Answer) -> None:
        """Count a message that was handled in a cell, and tell of it."""
        if answer.outcome in {"done", "retrying", "failed"}:
            self._limits.finished += 1
            self._limits.failures += answer.outcome != "done"
            consumer.pace.ended(well=answer.outcome == "done")
        if answer.outcome == "done" and answer.type and self._succeeded is not None:
            self._succeeded(answer.type)
        if self._observer.ended is not None:
            place = consumer.received[0]
            self._observer.ended(
                Ended(outcome=answer.outcome, type=answer.type, message_id=answer.id, place=place)
            )

    def _read(self, consumer: Consumer, delivery: Delivery) -> Envelope[Any] | Undecodable:
        return self._decode(delivery.body, delivery.headers, consumer.types, delivery.id, consumer.received)

    async def _unread(
        self, consumer: Consumer, delivery: Delivery, read: Envelope[Any] | Undecodable
    ) -> None:
        if isinstance(read, Envelope):
            error = ValueError(f"{read.type} does not belong on queue {consumer.spec.name}")
            read = Undecodable(
                body=delivery.body, error=error, type=read.type, id=read.id, attempt=read.attempt
            )
        verdict = await self._judge.undecodable(consumer, delivery, read)
        self._count(verdict)
        consumer.settlements.add(verdict.settlement, unread=True)
        if self._observer.ended is not None:
            self._observer.ended(
                Ended(
                    outcome=verdict.outcome,
                    type=read.type,
                    message_id=read.id or delivery.id,
                    place=consumer.received[0],
                    attempt=verdict.attempt,
                )
            )

    def _ended(
        self, consumer: Consumer, envelope: Envelope[Any], verdict: Verdict, begun: float | None = None
    ) -> None:
        self._count(verdict)
        consumer.settlements.add(verdict.settlement)
        if self._tracked[envelope.type]:
            state: State = "accepted" if verdict.outcome == "returned" else verdict.outcome
            self._progress.note(consumer.received[0], envelope, state, verdict.error)
        if self._observed:
            self._tell(consumer, verdict.outcome, envelope, begun)

    def _begin(self, consumer: Consumer, envelope: Envelope[Any]) -> float:
        """Tell that a chain is about to run; when that was, by the loop's clock."""
        if self._observer.started is not None:
            self._observer.started(consumer.received[0], envelope)
        return asyncio.get_running_loop().time()

    def _tell(self, consumer: Consumer, outcome: How, envelope: Envelope[Any], begun: float | None) -> None:
        """Tell how an attempt ended."""
        if self._observer.ended is None:
            return
        self._observer.ended(
            Ended(
                outcome=outcome,
                type=envelope.type,
                message_id=envelope.id,
                place=consumer.received[0],
                attempt=envelope.attempt,
                envelope=envelope,
                duration=None if begun is None else asyncio.get_running_loop().time() - begun,
            )
        )

    def _count(self, verdict: Verdict) -> None:
        if verdict.outcome in {"retrying", "failed"}:
            self._limits.finished += 1
            self._limits.failures += 1


def _take_back_cancelling() -> None:
    """Let the slot's task go on where a handler has cancelled it: only the worker ends it, and says so before."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
