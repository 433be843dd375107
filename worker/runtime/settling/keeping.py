"""Keeping: what is given up goes to the failure store, whatever its error's text or its own facts hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from worker.errors import PoisonMessage, Unavailable
from worker.messaging.cloudevents import binary_headers
from worker.messaging.envelope import Envelope, Undecodable
from worker.messaging.failure import Attempt, Failure, FailureStore
from worker.messaging.identity import Clock, derive_id
from worker.messaging.suspicion import Death
from worker.messaging.transport import Ack, Delivery, QueueSpec, Release
from worker.runtime.settling.verdict import RETURN_DELAY, Verdict
from worker.texts import NAME, message_of, storable, told, trace_of, type_of

Failures = Sequence[tuple[str | None, BaseException]]
"""Errors, each with the name of the handler that raised it; None where it was none."""

LONGEST_HOLD = 300.0
"""Seconds that a message is held back, at most, which the failure store cannot take."""
_REMEMBERED = 10_000

log = structlog.stdlib.get_logger("worker.settlement")


class Keeper:
    """Writes histories and failures, and says how that settles the message. Nothing here raises.

    Args:
        failures: the failure store.
        worker: name of this worker, kept in the history.
        clock: seconds since the epoch.
    """

    def __init__(self, failures: FailureStore, worker: str, clock: Clock) -> None:
        self._failures = failures
        self._worker = worker
        self._clock = clock
        self._refused: dict[str, int] = {}

    def attempts(self, number: int, failures: Failures) -> tuple[Attempt, ...]:
        """Tell of one attempt, an entry for each error."""
        return tuple(
            Attempt(
                attempt=number,
                at=self._clock(),
                worker=self._worker,
                handler=None if handler is None else storable(handler, NAME),
                error_type=type_of(error),
                error_message=message_of(error),
                trace=trace_of(error),
            )
            for handler, error in failures
        )

    def deaths(self, number: int, deaths: Sequence[Death]) -> tuple[tuple[Attempt, ...], PoisonMessage]:
        """Tell of the deaths that an attempt saw, and what they come to."""
        history: list[Attempt] = []
        at = self._clock()
        for death in reversed(deaths):
            at = min(death.at, at - 0.001)  # two at one time would count as a repeat
            entry = Attempt(
                attempt=number,
                at=at,
                worker=death.worker or "unknown",
                handler=None,
                error_type=PoisonMessage.__name__,
                error_message=death.how,
                trace="",
            )
            history.append(entry)
        alone = sum(death.alone for death in deaths)
        counts = f"{len(deaths)} workers died with it in hand, {alone} of them with nothing else in hand"
        return tuple(reversed(history)), PoisonMessage(counts)

    async def note(self, envelope: Envelope[Any], failures: Failures, bound: Any) -> bool:
        """Keep the history of an attempt that will be retried; False where that cannot be: it is retried all the same."""
        try:
            await self._failures.note(envelope.id, self.attempts(envelope.attempt, failures))
            return True
        except Unavailable as outage:
            bound.warning("history of a failed attempt not kept", error=told(outage))
        except Exception:
            bound.exception("history of a failed attempt not kept: the failure store itself failed")
        return False

    async def keep(
        self, delivery: Delivery, failure: Failure, error: BaseException | None, correlation_id: str | None
    ) -> Verdict:
        """Store a failure; what the store cannot take is reduced to its bytes and a plain error.

        What it does not take even so is given back, and held back longer each time: it is not lost, and costs nothing.
        """
        bound = log.bind(
            type=failure.type,
            id=failure.id,
            correlation_id=correlation_id,
            attempt=failure.attempts,
            transport=failure.transport,
            queue=failure.queue,
        )
        try:
            try:
                await self._failures.add([failure])
            except Unavailable:
                raise
            except Exception as fault:
                bound.exception("the failure store cannot take the message whole; it keeps its bytes")
                await self._failures.add([self._reduced(delivery, failure, error or fault)])
        except Unavailable as outage:
            bound.warning("failure store does not answer; message given back", error=told(outage))
            return Verdict(Release(delivery, RETURN_DELAY), "returned", failure.attempts, outage)
        except Exception as fault:
            hold = self._hold(delivery.id)
            bound.exception("the failure store itself failed; message given back", delay=hold)
            return Verdict(Release(delivery, hold), "returned", failure.attempts, fault)
        self._refused.pop(delivery.id, None)
        bound.error(
            "message failed; it is in the failure store", error=told(error) if error is not None else None
        )
        return Verdict(Ack(delivery), "failed", failure.attempts, error)

    async def keep_unread(
        self, transport: str, spec: QueueSpec, delivery: Delivery, unread: Undecodable
    ) -> Verdict:
        """Store what cannot be read, bytes unchanged."""
        failure = Failure(
            id=unread.id or derive_id("", spec.name, delivery.id, unread.body.hex()),
            type=unread.type,
            transport=transport,
            queue=spec.name,
            failed_at=self._clock(),
            attempts=unread.attempt,
            decoded=False,
            body=unread.body,
            headers=binary_headers(delivery.headers) if delivery.headers else {},
            key=None if delivery.key is None else storable(delivery.key),
            priority=spec.priority,
            history=self.attempts(unread.attempt, [(None, unread.error)]),
        )
        return await self.keep(delivery, failure, unread.error, None)

    def _reduced(self, delivery: Delivery, failure: Failure, error: BaseException) -> Failure:
        entry = Attempt(
            attempt=failure.attempts,
            at=self._clock(),
            worker=self._worker,
            handler=None,
            error_type=type_of(error),
            error_message=message_of(error),
            trace="",
        )
        return msgspec.structs.replace(
            failure, decoded=False, body=delivery.body, headers={}, key=None, history=(entry,)
        )

    def _hold(self, delivery_id: str) -> float:
        times = self._refused.pop(delivery_id, 0)
        if len(self._refused) >= _REMEMBERED:
            del self._refused[next(iter(self._refused))]
        self._refused[delivery_id] = times + 1
        return float(min(RETURN_DELAY * 2 ** min(times, 20), LONGEST_HOLD))
