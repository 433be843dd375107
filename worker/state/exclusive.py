"""The exclusive lock in SQL: one row, which a crash releases by its time."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from worker.state.database import Database
from worker.state.pauses import bump, unbump
from worker.state.tables import exclusive


class SqlExclusive:
    """The fleet's one lock. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, worker: str, message_id: str, type_name: str, lease: float) -> int | None:
        """Take it; the version that workers must have applied, None while another message has it."""
        now = self._database.clock()
        async with self._database.begin_write() as connection:
            version = await bump(connection)
            held = (await connection.execute(select(exclusive))).mappings().first()
            if held is not None and held["until"] > now and held["message_id"] != message_id:
                await unbump(connection)
                return None
            await connection.execute(delete(exclusive))
            row = {"id": 1, "worker": worker, "message_id": message_id, "type": type_name}
            await connection.execute(insert(exclusive).values(**row, version=version, until=now + lease))
            return version

    async def extend(self, message_id: str, lease: float) -> bool:
        """Hold it longer; False when it is another's by now."""
        until = self._database.clock() + lease
        mine = exclusive.c.message_id == message_id
        async with self._database.begin_write() as connection:
            done = await connection.execute(update(exclusive).where(mine).values(until=until))
            if done.rowcount:
                await bump(connection)  # or workers would go by the end that they know
            return bool(done.rowcount)

    async def release(self, message_id: str) -> None:
        """Let go of it. Idempotent."""
        async with self._database.begin_write() as connection:
            done = await connection.execute(delete(exclusive).where(exclusive.c.message_id == message_id))
            if done.rowcount:
                await bump(connection)
