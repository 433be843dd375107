"""Settlement: what becomes of a message that failed; a copy is made first, then the original is acked."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
import structlog

from worker.errors import HandlersFailed, PoisonMessage, PublishFailed, Unavailable
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope, Undecodable
from worker.messaging.failure import Attempt, Failure, FailureStore
from worker.messaging.identity import Clock, derive_id
from worker.messaging.retry import Again as TryAgain
from worker.messaging.retry import Retry, decide
from worker.messaging.sender import Sender
from worker.messaging.serializer import CONTENT_TYPE, Serializer
from worker.messaging.stamps import Abandoned, Handled, Replay
from worker.messaging.transport import Ack, Again, Delivery, Outgoing, Release, Settlement
from worker.runtime.consumer import Consumer

RETURN_DELAY = 1.0
"""Seconds that a message is held back when it returns because something outside does not answer."""

_TRACE_LIMIT = 20_000
_MESSAGE_LIMIT = 4_000

log = structlog.stdlib.get_logger("worker.settlement")


Spares = Callable[[str, list[tuple[str | None, Exception]]], bool]
"""Says, of a message's id and its failures by handler, whether it is not charged with them."""


class Verdict(msgspec.Struct, frozen=True):
    """How a failed message is settled, and what that makes of it: retrying, failed, returned or done."""

    settlement: Settlement
    outcome: str
    attempt: int = 1
    error: BaseException | None = None


class Settler:
    """Decides about failed messages by the retry policy, and keeps what is given up.

    Args:
        registry: the declared types and their policies.
        serializer: writes the next attempt.
        senders: by transport, for brokers that cannot swap a message for its next attempt.
        failures: the failure store.
        policy: for types without their own.
        worker: name of this worker, kept in the history.
        clock: seconds since the epoch.
        chance: random number in [0, 1) for jitter.
        spares: asks the breakers whether a message is not charged with its failures.
    """

    def __init__(
        self,
        registry: Registry,
        serializer: Serializer,
        senders: Mapping[str, Sender],
        failures: FailureStore,
        policy: Retry,
        worker: str,
        clock: Clock,
        chance: Callable[[], float],
        spares: Spares | None = None,
    ) -> None:
        self._registry = registry
        self._serializer = serializer
        self._senders = senders
        self._failures = failures
        self._policy = policy
        self._worker = worker
        self._clock = clock
        self._chance = chance
        self._spares = spares

    async def failed(
        self, consumer: Consumer, delivery: Delivery, envelope: Envelope[Any], error: Exception
    ) -> Verdict:
        """Settle a message whose chain raised ``error``; never raises: what cannot be copied is given back."""
        try:
            if not isinstance(error, HandlersFailed):
                return await self._judge(consumer, delivery, envelope, [(None, error)])
            stamped = cast("Envelope[Any]", error.envelope)  # errors lie below envelopes and cannot name them
            return await self._judge(consumer, delivery, stamped, list(error.failures))
        except Unavailable as outage:
            _log_of(consumer, envelope).warning("message given back", error=str(outage))
            return Verdict(Release(delivery, RETURN_DELAY), "returned", envelope.attempt, outage)

    async def undecodable(self, consumer: Consumer, delivery: Delivery, unread: Undecodable) -> Verdict:
        """Keep what cannot be read, bytes unchanged; the queue flows on."""
        message_id = unread.id or derive_id("", consumer.spec.name, delivery.id, unread.body.hex())
        failure = Failure(
            id=message_id,
            type=unread.type,
            transport=consumer.transport.name,
            queue=consumer.spec.name,
            failed_at=self._clock(),
            attempts=unread.attempt,
            decoded=False,
            body=unread.body,
            key=delivery.key,
            priority=consumer.spec.priority,
            history=(self._attempt(unread.attempt, None, unread.error),),
        )
        return await self._keep(delivery, failure, unread.error, None)

    async def poisoned(self, consumer: Consumer, delivery: Delivery, envelope: Envelope[Any]) -> Verdict:
        """Keep a message whose worker died with it ``delivery.deaths`` times."""
        error = PoisonMessage(f"its worker died {delivery.deaths} times with it in hand")
        return await self._give_up(consumer, delivery, envelope, [(None, error)])

    async def _judge(
        self,
        consumer: Consumer,
        delivery: Delivery,
        envelope: Envelope[Any],
        failures: list[tuple[str | None, Exception]],
    ) -> Verdict:
        outage = next((error for _, error in failures if _is_outage(error)), None)
        if outage is not None:
            _log_of(consumer, envelope).warning("message given back", error=str(outage))
            return await self._again(consumer, delivery, envelope, RETURN_DELAY, "returned", outage)
        if self._spares is not None and self._spares(envelope.id, failures):
            return await self._spare(consumer, delivery, envelope, failures[0][1])
        policy = self._registry.messages[envelope.type].retry or self._policy
        decisions = [
            (name, error, decide(error, envelope.attempt, policy, self._chance)) for name, error in failures
        ]
        delays = [decision.delay for _, _, decision in decisions if isinstance(decision, TryAgain)]
        if not delays:
            return await self._give_up(consumer, delivery, envelope, failures)
        given_up = [name for name, _, decision in decisions if name and not isinstance(decision, TryAgain)]
        if given_up:
            earlier = envelope.get(Abandoned)
            envelope = envelope.with_(Abandoned((*(earlier.handlers if earlier else ()), *given_up)))
        await self._note(consumer, envelope, failures)
        error = failures[0][1]
        _log_of(consumer, envelope).warning(
            "handler failed; it will be retried",
            delay=round(max(delays), 3),
            error=f"{type(error).__name__}: {error}"[:_MESSAGE_LIMIT],
        )
        following = msgspec.structs.replace(envelope, attempt=envelope.attempt + 1)
        try:
            return await self._again(consumer, delivery, following, max(delays), "retrying", error)
        except PublishFailed as refusal:
            if not refusal.refused:
                raise
            # it will never be taken: given back, the message would fail and be refused for ever
            return await self._give_up(consumer, delivery, envelope, [*failures, (None, refusal)])

    async def _spare(
        self, consumer: Consumer, delivery: Delivery, envelope: Envelope[Any], error: Exception
    ) -> Verdict:
        """Give back what failed by the fault of something that its handlers call; what they have done is kept."""
        _log_of(consumer, envelope).warning(
            "message given back: its breaker takes the failure upon itself",
            error=f"{type(error).__name__}: {error}"[:_MESSAGE_LIMIT],
        )
        if envelope.get(Handled) is not None:
            return await self._again(consumer, delivery, envelope, RETURN_DELAY, "returned", error)
        return Verdict(Release(delivery, RETURN_DELAY), "returned", envelope.attempt, error)

    async def _again(
        self,
        consumer: Consumer,
        delivery: Delivery,
        envelope: Envelope[Any],
        delay: float,
        outcome: str,
        error: Exception,
    ) -> Verdict:
        attempt = envelope.attempt - 1 if outcome == "retrying" else envelope.attempt
        outgoing = Outgoing(
            queue=consumer.spec.name,
            id=envelope.id,
            type=envelope.type,
            body=self._serializer.encode(envelope),
            key=envelope.key,
            delay=delay,
            priority=consumer.spec.priority,
            content_type=CONTENT_TYPE,
        )
        features = consumer.transport.features
        if features.replaces and delay <= features.max_delay:  # the sender keeps longer ones elsewhere
            return Verdict(Again(delivery, outgoing), outcome, attempt, error)
        await self._senders[consumer.transport.name].send(outgoing)
        return Verdict(Ack(delivery), outcome, attempt, error)

    async def _give_up(
        self,
        consumer: Consumer,
        delivery: Delivery,
        envelope: Envelope[Any],
        failures: list[tuple[str | None, Exception]],
    ) -> Verdict:
        replay = envelope.get(Replay)
        failure = Failure(
            id=envelope.id,
            type=envelope.type,
            transport=consumer.transport.name,
            queue=consumer.spec.name,
            failed_at=self._clock(),
            attempts=envelope.attempt,
            decoded=True,
            body=self._serializer.encode(envelope.without(Replay, Abandoned)),
            key=envelope.key,
            priority=consumer.spec.priority,
            history=tuple(self._attempt(envelope.attempt, name, error) for name, error in failures),
            ticket=replay.ticket if replay else None,
        )
        error = failures[0][1] if failures else None
        return await self._keep(delivery, failure, error, envelope.correlation_id or envelope.id)

    async def _keep(
        self, delivery: Delivery, failure: Failure, error: Exception | None, correlation_id: str | None
    ) -> Verdict:
        bound = log.bind(
            type=failure.type,
            id=failure.id,
            correlation_id=correlation_id,
            attempt=failure.attempts,
            transport=failure.transport,
            queue=failure.queue,
        )
        try:
            await self._failures.add([failure])
        except Unavailable as outage:
            bound.warning("failure store does not answer; message given back", error=str(outage))
            return Verdict(Release(delivery, RETURN_DELAY), "returned", failure.attempts, outage)
        bound.error(
            "message failed; it is in the failure store",
            error=f"{type(error).__name__}: {error}"[:_MESSAGE_LIMIT] if error else None,
        )
        return Verdict(Ack(delivery), "failed", failure.attempts, error)

    async def _note(
        self, consumer: Consumer, envelope: Envelope[Any], failures: list[tuple[str | None, Exception]]
    ) -> None:
        """Keep the history; a database that does not answer costs the history, never the message."""
        try:
            await self._failures.note(
                envelope.id, [self._attempt(envelope.attempt, name, error) for name, error in failures]
            )
        except Unavailable as outage:
            _log_of(consumer, envelope).warning("history of a failed attempt not kept", error=str(outage))

    def _attempt(self, attempt: int, handler: str | None, error: Exception) -> Attempt:
        return Attempt(
            attempt=attempt,
            at=self._clock(),
            worker=self._worker,
            handler=handler,
            error_type=type(error).__name__,
            error_message=str(error)[:_MESSAGE_LIMIT],
            trace="".join(traceback.format_exception(error))[-_TRACE_LIMIT:],
        )


def _is_outage(error: Exception) -> bool:
    """Whether something outside did not answer; what a broker refused for good is the handler's failure."""
    return isinstance(error, Unavailable) and not (isinstance(error, PublishFailed) and error.refused)


def _log_of(consumer: Consumer, envelope: Envelope[Any]) -> Any:
    """A logger bound to a message and where it was taken from."""
    return log.bind(
        type=envelope.type,
        id=envelope.id,
        correlation_id=envelope.correlation_id or envelope.id,
        attempt=envelope.attempt,
        transport=consumer.transport.name,
        queue=consumer.spec.name,
    )
