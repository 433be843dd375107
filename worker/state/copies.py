"""Copies of what is published to a broker that keeps it in memory only; what it has lost leaves again by the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from worker.messaging.copies import Copied, mark_of
from worker.messaging.transport import Outgoing
from worker.state.database import Database
from worker.state.pruning import prune
from worker.state.statement import Statement

_KEEP = Statement("""
    INSERT INTO worker_copies (application, transport, queue, message_id, mark, type, body, key, priority,
        content_type, at)
    VALUES (:application, :transport, :queue, :message_id, :mark, :type, :body, :key, :priority, :content_type, :at)
    ON CONFLICT (application, transport, queue, message_id, mark) DO UPDATE SET at = excluded.at
""")
_DROP = Statement("""
    DELETE FROM worker_copies WHERE application = :application AND transport = :transport AND queue = :queue
    AND message_id = ANY (:ids) AND mark = ANY (:marks)
""")
_LOST = "application = :application AND transport = :transport AND queue = :queue AND at <= :before"
_SEND = Statement(f"""
    INSERT INTO worker_outbox (application, message_id, origin, transport, queue, type, body, key, delay, priority,
        content_type, created_at, claimed_by, claimed_until)
    SELECT application, message_id, message_id, transport, queue, type, body, key, 0.0, priority, content_type, at,
        '', 0.0
    FROM worker_copies WHERE {_LOST} ORDER BY seq
    ON CONFLICT DO NOTHING
""")
_FORGET = Statement(f"DELETE FROM worker_copies WHERE {_LOST}")
_PRUNE = Statement("""
    DELETE FROM worker_copies WHERE seq IN (
        SELECT seq FROM worker_copies WHERE application = :application AND at < :before LIMIT :portion
    )
""")


class SqlCopies:
    """See the port. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, transport: str, batch: Sequence[Outgoing]) -> None:
        """Keep copies; one that is kept already gets a new time and keeps its place."""
        now = await self.now()
        rows = [
            {
                "transport": transport,
                "queue": outgoing.queue,
                "message_id": outgoing.id,
                "mark": mark_of(outgoing.body),
                "type": outgoing.type,
                "body": outgoing.body,
                "key": outgoing.key,
                "priority": outgoing.priority,
                "content_type": outgoing.content_type,
                "at": now,
            }
            for outgoing in batch
        ]
        async with self._database.begin_write() as transaction:
            await transaction.run_each(_KEEP, rows)

    async def drop(self, transport: str, copies: Sequence[Copied]) -> None:
        """Forget them."""
        async with self._database.begin_write() as transaction:
            for queue in dict.fromkeys(copied.queue for copied in copies):
                those = [copied for copied in copies if copied.queue == queue]
                ids, marks = [copied.id for copied in those], [copied.mark for copied in those]
                await transaction.run(_DROP, transport=transport, queue=queue, ids=ids, marks=marks)

    async def now(self) -> float:
        """The database's time, as processes agree on it."""
        return await self._database.now()

    async def send_again(self, transport: str, queue: str, before: float) -> int:
        """Move copies into the outbox, in one step; what waits there under the same id already is not sent twice."""
        lost = {"transport": transport, "queue": queue, "before": before}
        async with self._database.begin_write() as transaction:
            sent = await transaction.run(_SEND, **lost)
            await transaction.run(_FORGET, **lost)
        return sent

    async def prune(self, older_than: float) -> int:
        """Forget copies that are older than ``older_than`` seconds, and say how many that was."""
        return await prune(self._database, _PRUNE, before=await self._database.now() - older_than)
