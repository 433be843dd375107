"""Settlement: what becomes of a message that failed; a copy is made first, then the original is acked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import structlog

from worker.errors import HandlersFailed, PublishFailed, Unavailable, UsageError
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope, Undecodable
from worker.messaging.failure import Attempt, Failure, FailureStore
from worker.messaging.identity import Clock
from worker.messaging.keys import carried
from worker.messaging.observing import How
from worker.messaging.retry import Decision, GiveUp, Retry, TryAgain, decide
from worker.messaging.sender import Sender
from worker.messaging.serializer import CONTENT_TYPE, Serializer
from worker.messaging.stamps import Abandoned, Handled, Replay
from worker.messaging.suspicion import Death
from worker.messaging.transport import Ack, Again, Delivery, Outgoing, Release
from worker.raising import is_failure
from worker.runtime.settling.following import body_of, key_of, longest_swap, next_of
from worker.runtime.settling.keeping import Keeper
from worker.runtime.settling.naming import named
from worker.runtime.settling.recurrence import Answers, Recurrence, is_outage
from worker.runtime.settling.verdict import RETURN_DELAY, Verdict
from worker.runtime.taking.consumer import Consumer
from worker.texts import storable, told

__all__ = ["RETURN_DELAY", "Judge", "Spares", "Verdict"]

log = structlog.stdlib.get_logger("worker.settlement")


Spares = Callable[[str, list[tuple[str | None, BaseException]]], bool | Awaitable[bool]]
"""Says, of a message's id and its failures by handler, whether it is not charged with them."""


class Judge:
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
        answers: asks whether database and brokers answer; None where an outage never is a message's own.
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
        answers: Answers | None = None,
    ) -> None:
        self._registry = registry
        self._serializer = serializer
        self._senders = senders
        self._keeper = Keeper(failures, worker, clock)
        self._policy = policy
        self._clock = clock
        self._chance = chance
        self._spares = spares
        self._recurrence = Recurrence(answers)

    async def failed(
        self, consumer: Consumer, delivery: Delivery, envelope: Envelope[Any], error: BaseException
    ) -> Verdict:
        """Settle a message whose chain raised ``error``; never raises: what cannot be copied is given back."""
        failures: list[tuple[str | None, BaseException]] = [(None, error)]
        try:
            if isinstance(error, HandlersFailed) and _is_of(error, envelope):
                envelope = cast(
                    "Envelope[Any]", error.envelope
                )  # errors lie below envelopes and cannot name them
                failures = list(error.failures)
            return await self._judge(consumer, delivery, envelope, failures)
        except Unavailable as outage:
            named(log, consumer, envelope).warning("message given back", error=told(outage))
            return Verdict(Release(delivery, RETURN_DELAY), "returned", envelope.attempt, outage)
        except BaseException as fault:  # stamps and errors are code of the application, too
            if not is_failure(fault):
                raise
            return await self.faulty(consumer, delivery, envelope, fault, failures)

    async def faulty(
        self,
        consumer: Consumer,
        delivery: Delivery,
        envelope: Envelope[Any] | None,
        fault: BaseException,
        failures: list[tuple[str | None, BaseException]] | None = None,
    ) -> Verdict:
        """Settle a message over which the worker itself failed, whatever that was; never raises.

        It is charged with an attempt and retried by the policy's numbers, then kept: it must not come for ever.

        Args:
            consumer: that has it.
            delivery: of the message.
            envelope: None where it failed before there was one.
            fault: what was raised.
            failures: of the handlers before that.
        """
        if envelope is None:
            named(log, consumer, delivery).error("the worker itself failed over a message", exc_info=fault)
            return await self.undecodable(consumer, delivery, Undecodable(body=delivery.body, error=fault))
        bound = named(log, consumer, envelope)
        bound.error("the worker itself failed over a message; it is charged", exc_info=fault)
        charged = [*(failures or ()), (None, fault)]
        try:
            policy = self._policy_of(envelope)
            if envelope.attempt <= policy.max_retries:
                await self._keeper.note(envelope, charged, bound)
                delay = policy.delay_before(envelope.attempt)
                return await self._again(consumer, delivery, next_of(envelope), delay, "retrying", fault)
        except Unavailable as outage:
            if not (isinstance(outage, PublishFailed) and outage.refused):
                bound.warning("message given back", error=told(outage))
                return Verdict(Release(delivery, RETURN_DELAY), "returned", envelope.attempt, outage)
            charged.append((None, outage))
        except BaseException as another:
            if not is_failure(another):
                raise
            bound.error("its next attempt cannot be made either", exc_info=another)
            charged.append((None, another))
        return await self._give_up(consumer, delivery, envelope, charged)

    async def undecodable(self, consumer: Consumer, delivery: Delivery, unread: Undecodable) -> Verdict:
        """Keep what cannot be read, bytes unchanged; the queue flows on."""
        return await self._keeper.keep_unread(consumer.transport.name, consumer.spec, delivery, unread)

    async def poisoned(
        self, consumer: Consumer, delivery: Delivery, envelope: Envelope[Any], deaths: Sequence[Death]
    ) -> Verdict:
        """Keep a message that killed its workers; the deaths are its history."""
        history, error = self._keeper.deaths(envelope.attempt, deaths)
        return await self._give_up(consumer, delivery, envelope, [(None, error)], history)

    async def _judge(
        self,
        consumer: Consumer,
        delivery: Delivery,
        envelope: Envelope[Any],
        failures: list[tuple[str | None, BaseException]],
    ) -> Verdict:
        outage = next((error for _, error in failures if is_outage(error)), None)
        if outage is None:
            self._recurrence.forget(consumer.spec.name, envelope.id)
        elif not await self._recurrence.charges(consumer.spec.name, envelope.id):
            return await self._return(consumer, delivery, envelope, outage)
        if self._spares is not None:
            spared = self._spares(envelope.id, failures)
            if spared if isinstance(spared, bool) else await spared:
                return await self._spare(consumer, delivery, envelope, failures[0][1])
        policy = self._policy_of(envelope)
        decisions = [(name, *self._decide(error, envelope.attempt, policy)) for name, error in failures]
        failures = [(name, error) for name, error, _ in decisions]
        delays = [decision.delay for _, _, decision in decisions if isinstance(decision, TryAgain)]
        if not delays:
            return await self._give_up(consumer, delivery, envelope, failures)
        given_up = [name for name, _, decision in decisions if name and not isinstance(decision, TryAgain)]
        if given_up:
            earlier = envelope.get(Abandoned)
            envelope = envelope.with_(Abandoned((*(earlier.handlers if earlier else ()), *given_up)))
        bound = named(log, consumer, envelope)
        kept = await self._keeper.note(envelope, failures, bound)
        if outage is not None and not kept:  # it goes on: nothing is charged
            return await self._return(consumer, delivery, envelope, outage)
        error = failures[0][1]
        bound.warning("handler failed; it will be retried", delay=round(max(delays), 3), error=told(error))
        try:
            return await self._again(consumer, delivery, next_of(envelope), max(delays), "retrying", error)
        except PublishFailed as refusal:
            if not refusal.refused:
                raise
            # it will never be taken: given back, the message would fail and be refused for ever
            return await self._give_up(consumer, delivery, envelope, [*failures, (None, refusal)])

    async def _return(
        self, consumer: Consumer, delivery: Delivery, envelope: Envelope[Any], outage: BaseException
    ) -> Verdict:
        """Give back what met an outage; nothing is charged, and what its handlers have done is kept."""
        named(log, consumer, envelope).warning("message given back", error=told(outage))
        return await self._again(consumer, delivery, envelope, RETURN_DELAY, "returned", outage)

    def _policy_of(self, envelope: Envelope[Any]) -> Retry:
        return self._registry.messages[envelope.type].retry or self._policy

    def _decide(self, error: BaseException, attempt: int, policy: Retry) -> tuple[BaseException, Decision]:
        """Decide; an error that asks for a delay which is none becomes wrong use, and no retry helps."""
        try:
            return error, decide(error, attempt, policy, self._chance)
        except UsageError as wrong:
            return wrong, GiveUp()

    async def _spare(
        self, consumer: Consumer, delivery: Delivery, envelope: Envelope[Any], error: BaseException
    ) -> Verdict:
        """Give back what failed by the fault of something that its handlers call; what they have done is kept."""
        named(log, consumer, envelope).warning(
            "message given back: its breaker takes the failure upon itself", error=told(error)
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
        outcome: How,
        error: BaseException,
    ) -> Verdict:
        attempt = envelope.attempt - 1 if outcome == "retrying" else envelope.attempt
        outgoing = Outgoing(
            queue=consumer.spec.name,
            id=envelope.id,
            type=envelope.type,
            body=self._serializer.onward(envelope, delivery.body, delivery.headers),
            key=carried(key_of(delivery, envelope)),
            delay=delay,
            priority=consumer.spec.priority,
            content_type=CONTENT_TYPE,
        )
        longest = longest_swap(consumer.transport.features, consumer.spec, outgoing)
        # the sender keeps longer ones elsewhere
        if longest is not None and delay <= longest and consumer.settlements.swaps(envelope.id):
            return Verdict(Again(delivery, outgoing), outcome, attempt, error)
        await self._senders[consumer.transport.name].send(outgoing)
        return Verdict(Ack(delivery), outcome, attempt, error)

    async def _give_up(
        self,
        consumer: Consumer,
        delivery: Delivery,
        envelope: Envelope[Any],
        failures: list[tuple[str | None, BaseException]],
        before: Sequence[Attempt] = (),
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
            body=body_of(self._serializer, delivery, envelope),
            key=None if (key := key_of(delivery, envelope)) is None else storable(key),
            priority=consumer.spec.priority,
            history=(*before, *self._keeper.attempts(envelope.attempt, failures)),
            ticket=replay.ticket if replay else None,
        )
        error = failures[0][1] if failures else None
        return await self._keeper.keep(delivery, failure, error, envelope.correlation_id or envelope.id)


def _is_of(error: HandlersFailed, envelope: Envelope[Any]) -> bool:
    """Whether it is this message's handlers that failed; code may raise any error, also one of another message."""
    return isinstance(error.envelope, Envelope) and error.envelope.id == envelope.id
