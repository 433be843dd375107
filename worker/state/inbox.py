"""The inbox: which handler's work on which message is committed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from worker.state.batcher import Batcher
from worker.state.database import Database
from worker.state.pruning import prune
from worker.state.tables import inbox


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

    async def add(self, connection: AsyncConnection, message_id: str, handler: str) -> bool:
        """Note the work in the transaction that does it; False when it is noted already."""
        row = {"message_id": message_id, "handler": handler, "done_at": self._database.clock()}
        # counts of an insert are dropped on some drivers unless asked for
        statement = (
            self._database.insert(inbox).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        )
        return int((await connection.execute(statement, row)).rowcount) > 0

    async def prune(self, older_than: float) -> int:
        """Forget work that was committed more than ``older_than`` seconds ago, and say how many rows that was.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        old = inbox.c.done_at < self._database.clock() - older_than
        chosen = select(inbox.c.message_id, inbox.c.handler).where(old)
        return await prune(self._database, inbox, (inbox.c.message_id, inbox.c.handler), chosen)

    async def forget(self, message_id: str) -> None:
        """Forget one message, so that its handlers run again.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        async with self._database.begin_write() as connection:
            await connection.execute(delete(inbox).where(inbox.c.message_id == message_id))

    async def _look_up(self, asked: Sequence[tuple[str, str]]) -> list[bool]:
        ids = {message_id for message_id, _ in asked}
        statement = select(inbox.c.message_id, inbox.c.handler).where(inbox.c.message_id.in_(ids))
        async with self._database.begin_read() as connection:
            known = {(row.message_id, row.handler) for row in await connection.execute(statement)}
        return [pair in known for pair in asked]
