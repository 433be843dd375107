"""Histories of failed attempts, by message; kept beside the failure store until the message is done with."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.messaging.failure import Attempt
from worker.state.database import Database
from worker.state.tables import attempts

LAST = 50
"""Attempts that are kept a message; older ones go."""

_MESSAGE_LIMIT = 4_000
_TRACE_LIMIT = 20_000


class Attempts:
    """Reads and writes histories inside the transactions of others."""

    def __init__(self, database: Database) -> None:
        self._insert = database.insert(attempts).on_conflict_do_nothing()

    async def add(self, connection: AsyncConnection, message_id: str, added: Sequence[Attempt]) -> None:
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
        await connection.execute(self._insert, rows)
        mine = attempts.c.message_id == message_id
        newest = select(attempts.c.seq).where(mine).order_by(attempts.c.seq.desc())
        oldest_kept = newest.limit(1).offset(LAST - 1).scalar_subquery()
        await connection.execute(delete(attempts).where(mine, attempts.c.seq < oldest_kept))

    async def of(self, connection: AsyncConnection, ids: Sequence[str]) -> dict[str, list[Attempt]]:
        """Return the histories of messages, oldest first."""
        found: dict[str, list[Attempt]] = {}
        statement = select(attempts).where(attempts.c.message_id.in_(ids)).order_by(attempts.c.seq)
        for row in (await connection.execute(statement)).mappings():
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
