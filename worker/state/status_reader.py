"""The status reader: tells where commands stand, what this process has not written yet included."""

from __future__ import annotations

from collections.abc import Sequence

from worker.messaging.status import CommandStatus
from worker.state.database import Database
from worker.state.pruning import prune
from worker.state.statement import Statement
from worker.state.status_row import StatusRow, document, join
from worker.state.status_writer import StatusWriter

_AT_ONCE = 500

_OF = Statement(
    f"SELECT {', '.join(StatusRow.__struct_fields__)} FROM worker_statuses "
    "WHERE application = :application AND id = ANY (:ids)"
)
_PRUNE_ENDED = Statement("""
    DELETE FROM worker_statuses WHERE application = :application AND id IN (
        SELECT id FROM worker_statuses WHERE application = :application AND finished_at < :before LIMIT :portion
    )
""")
_PRUNE_LOST = Statement("""
    DELETE FROM worker_statuses WHERE application = :application AND id IN (
        SELECT id FROM worker_statuses
        WHERE application = :application AND finished_at IS NULL AND at < :before LIMIT :portion
    )
""")


class StatusReader:
    """Reads the status of commands.

    Args:
        database: connected.
        writer: the writer of this process, whose rows are looked at too; None where there is none.
    """

    def __init__(self, database: Database, writer: StatusWriter | None = None) -> None:
        self._database = database
        self._writer = writer

    async def get(self, command_id: str) -> CommandStatus | None:
        """Return the status, None when it is unknown.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        return (await self.get_many([command_id])).get(command_id)

    async def holder(self, command_id: str) -> str:
        """Name the worker that has begun a command and not said how it ended; empty: none, or it is not known.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._database.begin_read() as transaction:
            row = await transaction.first(_OF, ids=[command_id])
        return str(row["worker"]) if row is not None and row["state"] == "running" else ""

    async def get_many(self, command_ids: Sequence[str]) -> dict[str, CommandStatus]:
        """Return those that are known.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        # first what waits: it may be written while the database is asked, and must not fall in between
        waiting = dict(self._writer.waiting(command_ids)) if self._writer is not None else {}
        rows: dict[str, StatusRow] = {}
        async with self._database.begin_read() as transaction:
            for start in range(0, len(command_ids), _AT_ONCE):
                part = command_ids[start : start + _AT_ONCE]
                found = await transaction.rows(_OF, ids=list(part))
                rows.update((row["id"], StatusRow(**row)) for row in found)
        for command_id, new in waiting.items():
            old = rows.get(command_id)
            rows[command_id] = new if old is None else join(old, new)
        return {command_id: document(row) for command_id, row in rows.items()}

    async def prune(self, older_than: float, unfinished: float = 90 * 86_400.0) -> int:
        """Remove commands that ended more than ``older_than`` seconds ago, and say how many.

        Those that never ended (lost with their broker, or handled where this database is not seen) go after
        ``unfinished`` seconds without a change.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        now = self._database.clock()
        ended = await prune(self._database, _PRUNE_ENDED, before=now - older_than)
        lost = await prune(self._database, _PRUNE_LOST, before=now - unfinished)
        return ended + lost
