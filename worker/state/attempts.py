"""Histories of failed attempts, by message; kept beside the failure store until the message is done with."""

from __future__ import annotations

from collections.abc import Sequence

from worker.messaging.failure import Attempt
from worker.state.sql import attempts as sql
from worker.state.transaction import Transaction

LAST = 50
"""Attempts that are kept a message; older ones go."""

_MESSAGE_LIMIT = 4_000
_TRACE_LIMIT = 20_000


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
                "error_message": _shortened(attempt.error_message, _MESSAGE_LIMIT),
                "trace": _shortened(attempt.trace, _TRACE_LIMIT),
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


def _shortened(text: str, limit: int) -> str:
    """Keep the beginning and, longer, the end: that is where a trace says what went wrong."""
    if len(text) <= limit:
        return text
    head, tail = limit // 4, limit - limit // 4
    return f"{text[:head]}\n… {len(text) - limit} characters left out …\n{text[-tail:]}"
