"""The inbox: which handler's work on which message is committed."""

from __future__ import annotations

from collections.abc import Sequence

from worker.messaging.batcher import Batcher
from worker.state.database import Database
from worker.state.pruning import prune
from worker.state.statement import Statement
from worker.state.transaction import Transaction

_KNOWN = Statement("""
    SELECT message_id, handler FROM worker_inbox
    WHERE application = :application AND message_id = ANY (:ids)
""")
_ADD = Statement("""
    INSERT INTO worker_inbox (application, message_id, handler, done_at)
    VALUES (:application, :message_id, :handler, :done_at) ON CONFLICT DO NOTHING
""")
_FORGET = Statement("DELETE FROM worker_inbox WHERE application = :application AND message_id = :message_id")
_PRUNE = Statement("""
    DELETE FROM worker_inbox WHERE application = :application AND (message_id, handler) IN (
        SELECT message_id, handler FROM worker_inbox
        WHERE application = :application AND done_at < :before LIMIT :portion
    )
""")


class Inbox:
    """Remembers committed work, so that a repeated delivery has no second effect.

    Keep it longer than a message can come back: the longest delay and retry, and the age at which failed
    messages are still replayed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lookups: Batcher[tuple[str, str], bool] = Batcher(self._look_up)

    async def knows(self, message_id: str, handler: str) -> bool:
        """Tell whether the handler's work on the message is committed; concurrent calls share one statement.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        return await self._lookups.submit((message_id, handler))

    async def add(self, transaction: Transaction, message_id: str, handler: str) -> bool:
        """Note the work in the transaction that does it; False when it is noted already."""
        row = {"message_id": message_id, "handler": handler, "done_at": self._database.time()}
        return await transaction.run(_ADD, **row) > 0

    async def prune(self, older_than: float) -> int:
        """Forget work that was committed more than ``older_than`` seconds ago, and say how many rows that was.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        return await prune(self._database, _PRUNE, before=await self._database.now() - older_than)

    async def forget(self, message_id: str) -> None:
        """Forget one message, so that its handlers run again.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        async with self._database.begin_write() as transaction:
            await transaction.run(_FORGET, message_id=message_id)

    async def _look_up(self, asked: Sequence[tuple[str, str]]) -> list[bool]:
        ids = list({message_id for message_id, _ in asked})
        async with self._database.begin_read() as transaction:
            known = {(row["message_id"], row["handler"]) for row in await transaction.rows(_KNOWN, ids=ids)}
        return [pair in known for pair in asked]
