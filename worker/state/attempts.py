"""Histories of failed attempts, by message; kept beside the failure store until the message is done with."""

from __future__ import annotations

from collections.abc import Sequence

from worker.messaging.failure import Attempt
from worker.state.database import Database
from worker.state.pruning import prune
from worker.state.statement import Statement
from worker.state.transaction import Transaction
from worker.texts import MESSAGE, TRACE, storable

LAST = 50
"""Attempts that are kept a message; older ones go."""

_ADD = Statement("""
    INSERT INTO worker_attempts
        (application, message_id, attempt, at, worker, handler, error_type, error_message, trace)
    VALUES (:application, :message_id, :attempt, :at, :worker, :handler, :error_type, :error_message, :trace)
    ON CONFLICT DO NOTHING
""")
_TRIM = Statement("""
    DELETE FROM worker_attempts WHERE application = :application AND message_id = :message_id AND seq < (
        SELECT seq FROM worker_attempts WHERE application = :application AND message_id = :message_id
        ORDER BY seq DESC LIMIT 1 OFFSET :newer
    )
""")
_OF = Statement("""
    SELECT message_id, attempt, at, worker, handler, error_type, error_message, trace
    FROM worker_attempts WHERE application = :application AND message_id = ANY (:ids) ORDER BY seq
""")
_FORGET = Statement(
    "DELETE FROM worker_attempts WHERE application = :application AND message_id = ANY (:ids)"
)
_PRUNE = Statement("""
    DELETE FROM worker_attempts WHERE application = :application AND seq IN (
        SELECT seq FROM worker_attempts WHERE application = :application AND at < :before AND NOT EXISTS (
            SELECT * FROM worker_failures
            WHERE worker_failures.application = :application AND worker_failures.id = worker_attempts.message_id
        ) LIMIT :portion
    )
""")


class Attempts:
    """Reads and writes histories inside the transactions of others."""

    async def add(self, transaction: Transaction, message_id: str, added: Sequence[Attempt]) -> None:
        """Append attempts; one that is there already (a repeat after a crash) is not kept twice."""
        if not added:
            return
        rows = [
            {
                "message_id": message_id,
                "attempt": attempt.attempt,
                "at": attempt.at,
                "worker": attempt.worker,
                "handler": attempt.handler or "",
                "error_type": attempt.error_type,
                "error_message": storable(attempt.error_message, MESSAGE),
                "trace": storable(attempt.trace, TRACE),
            }
            for attempt in added[-LAST:]
        ]
        await transaction.run_each(_ADD, rows)
        await transaction.run(_TRIM, message_id=message_id, newer=LAST - 1)

    async def of(self, transaction: Transaction, ids: Sequence[str]) -> dict[str, list[Attempt]]:
        """Return the histories of messages, oldest first."""
        found: dict[str, list[Attempt]] = {}
        for row in await transaction.rows(_OF, ids=list(ids)):
            attempt = Attempt(
                attempt=row["attempt"],
                at=row["at"],
                worker=row["worker"],
                handler=row["handler"] or None,
                error_type=row["error_type"],
                error_message=row["error_message"],
                trace=row["trace"],
            )
            found.setdefault(row["message_id"], []).append(attempt)
        return found

    async def forget(self, transaction: Transaction, ids: Sequence[str]) -> None:
        """Forget the histories of messages."""
        await transaction.run(_FORGET, ids=list(ids))

    async def prune(self, database: Database, before: float) -> int:
        """Forget attempts from before a time, of messages that are not in the failure store; say how many."""
        return await prune(database, _PRUNE, before=before)
