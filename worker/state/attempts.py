"""Histories of failed attempts, by message; kept beside the failure store until the message is done with."""

from __future__ import annotations

from collections.abc import Sequence

from worker.messaging.failure import Attempt
from worker.state.sql import attempts as sql
from worker.state.transaction import Transaction
from worker.texts import MESSAGE, TRACE, storable

LAST = 50
"""Attempts that are kept a message; older ones go."""


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
        await transaction.run_each(sql.ADD, rows)
        await transaction.run(sql.TRIM, message_id=message_id, newer=LAST - 1)

    async def of(self, transaction: Transaction, ids: Sequence[str]) -> dict[str, list[Attempt]]:
        """Return the histories of messages, oldest first."""
        found: dict[str, list[Attempt]] = {}
        for row in await transaction.rows(sql.OF, ids=list(ids)):
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
