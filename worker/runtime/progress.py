"""Progress: where tracked commands stand, as a worker notes it."""

from __future__ import annotations

from typing import Any

import structlog

from worker.errors import HandlersFailed
from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.identity import Clock
from worker.messaging.stamps import Received
from worker.messaging.status import State, StatusChange, StatusRecorder
from worker.texts import message_of, type_of

log = structlog.stdlib.get_logger("worker.status")


class Progress:
    """Notes the steps of commands. That a step cannot be noted is no concern of the message.

    Args:
        registry: the declared types.
        status: takes the steps; None to keep none.
        clock: seconds since the epoch.

    Attributes:
        tracks: whether steps are noted, by type.
    """

    def __init__(self, registry: Registry, status: StatusRecorder | None, clock: Clock) -> None:
        self.tracks = {
            name: message.track and message.kind == "command" and status is not None
            for name, message in registry.messages.items()
        }
        self._status = status
        self._clock = clock

    def note(
        self,
        place: Received,
        envelope: Envelope[Any],
        state: State,
        error: BaseException | None = None,
        *,
        again: bool = False,
    ) -> None:
        """Note a step of a command that is tracked; ``again``: it has come back from the failure store."""
        assert self._status is not None
        behind = error.failures[0][1] if isinstance(error, HandlersFailed) and error.failures else error
        now = self._clock()
        change = StatusChange(
            id=envelope.id,
            type=envelope.type,
            state=state,
            at=now,
            transport=place.transport,
            queue=place.queue,
            attempt=envelope.attempt,
            accepted_at=envelope.time or None,
            started_at=now if state == "running" else None,
            again=again,
            error_type=type_of(behind) if behind is not None else None,
            error_message=message_of(behind) if behind is not None else None,
        )
        try:
            self._status.record(change)
        except Exception:
            log.exception("a command's status is not kept", id=envelope.id)
