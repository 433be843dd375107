"""Keeps messages that a handler has committed and a broker will never take: in the failure store, to be seen."""

from __future__ import annotations

import structlog

from worker.messaging.failure import Attempt, Failure, FailureStore
from worker.messaging.identity import Clock
from worker.messaging.transport import Outgoing
from worker.runtime.relay import Refused
from worker.texts import storable

log = structlog.stdlib.get_logger("worker.relay")


def refusals(failures: FailureStore, worker: str, clock: Clock) -> Refused:
    """Make what the relay hands refused messages to; ``worker`` is the name kept in their history."""

    async def keep(transport: str, outgoing: Outgoing, reason: str) -> None:
        """Keep one refused message."""
        now = clock()
        attempt = Attempt(
            attempt=1,
            at=now,
            worker=worker,
            handler=None,
            error_type="PublishFailed",
            error_message=storable(f"{transport} refused it: {reason}"),
            trace="",
        )
        failure = Failure(
            id=outgoing.id,
            type=outgoing.type,
            transport=transport,
            queue=outgoing.queue,
            failed_at=now,
            attempts=0,
            decoded=True,
            body=outgoing.body,
            key=None if outgoing.key is None else storable(outgoing.key),
            priority=outgoing.priority,
            history=(attempt,),
        )
        await failures.add([failure])
        log.error(
            "message refused by its broker; it is in the failure store",
            type=outgoing.type,
            id=outgoing.id,
            transport=transport,
            queue=outgoing.queue,
            reason=reason,
        )

    return keep
