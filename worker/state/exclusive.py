"""The exclusive lock in SQL: one row, which a crash releases by its time."""

from __future__ import annotations

from worker.state.control import bump, unbump
from worker.state.database import Database
from worker.state.statement import Statement

HELD = Statement(
    "SELECT worker, message_id, type, until, since FROM worker_exclusive WHERE application = :application"
)
_CLEAR = Statement("DELETE FROM worker_exclusive WHERE application = :application")
_TAKE = Statement("""
    INSERT INTO worker_exclusive (application, worker, message_id, type, version, until, since)
    VALUES (:application, :worker, :message_id, :type, :version, :until, :since)
""")
_EXTEND = Statement("""
    UPDATE worker_exclusive SET until = :until
    WHERE application = :application AND message_id = :message_id
""")
_RELEASE = Statement(
    "DELETE FROM worker_exclusive WHERE application = :application AND message_id = :message_id"
)


class SqlExclusive:
    """The fleet's one lock. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, worker: str, message_id: str, type_name: str, lease: float) -> int | None:
        """Take it; the version that workers must have applied, None while another message has it."""
        now = await self._database.now()
        async with self._database.begin_write() as transaction:
            version = await bump(transaction)
            held = await transaction.first(HELD)
            if held is not None and held["until"] > now and held["message_id"] != message_id:
                await unbump(transaction)
                return None
            await transaction.run(_CLEAR)
            row = {"worker": worker, "message_id": message_id, "type": type_name}
            await transaction.run(
                _TAKE, **row, version=version, until=now + lease, since=self._database.clock()
            )
            return version

    async def extend(self, message_id: str, lease: float) -> bool:
        """Hold it longer; False when it is another's by now."""
        until = await self._database.now() + lease
        async with self._database.begin_write() as transaction:
            done = await transaction.run(_EXTEND, message_id=message_id, until=until)
            if done:
                await bump(transaction)  # or workers would go by the end that they know
            return bool(done)

    async def release(self, message_id: str) -> None:
        """Let go of it. Idempotent."""
        async with self._database.begin_write() as transaction:
            done = await transaction.run(_RELEASE, message_id=message_id)
            if done:
                await bump(transaction)
