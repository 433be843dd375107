"""Track: where a command stands, as far as its sender's side knows."""

from __future__ import annotations

from functools import partial
from typing import Any

from worker.chain.compiled import Facts
from worker.errors import HandlersFailed
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.identity import Clock
from worker.messaging.middleware import CallNext
from worker.messaging.stamps import Collect, Sent
from worker.messaging.status import State, StatusChange, StatusRecorder
from worker.texts import message_of, type_of


class Track:
    """Notes that a command was accepted by its queue, or how it ended when it was handled at once."""

    def __init__(self, registry: Registry, status: StatusRecorder, clock: Clock) -> None:
        self._tracked = {m.name for m in registry.of_kind("command") if m.track}
        self._status = status
        self._clock = clock

    def for_facts(self, facts: Facts, onward: CallNext) -> CallNext | None:
        """Nothing is noted of events, and of commands that are not tracked.

        The time of an acceptance lies before the sending, so that handling wins. What is to leave with a handler's
        commit has no status before it has left.
        """
        return partial(self._tracked_one, onward) if facts["type"] in self._tracked else None

    async def _tracked_one(self, onward: CallNext, envelope: Envelope[Any]) -> Envelope[Any]:
        if envelope.stamps and envelope.get(Collect) is not None:
            return await onward(envelope)
        started = self._clock()
        try:
            outcome = await onward(envelope)
        except HandlersFailed as failed:
            self._note(
                envelope,
                "failed",
                self._clock(),
                started,
                failed.failures[0][1] if failed.failures else failed,
            )
            raise
        sent = outcome.get(Sent)
        if sent is not None:
            self._note(envelope, "accepted", started, None, None, sent)
        else:
            self._note(envelope, "done", self._clock(), started)
        return outcome

    def _note(
        self,
        envelope: Envelope[Any],
        state: State,
        at: float,
        started: float | None,
        error: BaseException | None = None,
        sent: Sent | None = None,
    ) -> None:
        self._status.record(
            StatusChange(
                id=envelope.id,
                type=envelope.type,
                state=state,
                at=at,
                transport=sent.transport if sent else "inline",
                queue=sent.queue if sent else "",
                attempt=0 if state == "accepted" else 1,
                accepted_at=envelope.time or None,
                started_at=started,
                error_type=type_of(error) if error is not None else None,
                error_message=message_of(error) if error is not None else None,
            )
        )
