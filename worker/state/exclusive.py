"""The lock of exclusive commands in SQL: a named lock, whose changes raise the control version."""

from __future__ import annotations

from worker.messaging.pausing import ExclusiveCommand
from worker.state import locks
from worker.state.control import bump, unbump
from worker.state.database import Database
from worker.state.transaction import Transaction

NAME = "exclusive"
"""Of the lock; its holder is the message, as any worker may be given it again."""


class SqlExclusive:
    """The fleet's one lock. Every method raises DatabaseUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, worker: str, message_id: str, type_name: str, lease: float) -> int | None:
        """Take it; the version that workers must have applied, None while another message has it."""
        now, since = await self._database.now(), self._database.clock()
        lock = locks.Lock(holder=message_id, worker=worker, about=type_name, since=since, until=now + lease)
        async with self._database.begin_write() as transaction:
            version = await bump(transaction)
            if await locks.take(transaction, NAME, lock, now):
                return version
            await unbump(transaction)
            return None

    async def extend(self, message_id: str, lease: float) -> bool:
        """Hold it longer; False when it is another's by now."""
        until = await self._database.now() + lease
        async with self._database.begin_write() as transaction:
            done = await locks.extend(transaction, NAME, message_id, until)
            if done:
                await bump(transaction)  # or workers would go by the end that they know
            return done

    async def release(self, message_id: str) -> None:
        """Let go of it. Idempotent."""
        async with self._database.begin_write() as transaction:
            if await locks.release(transaction, NAME, message_id):
                await bump(transaction)


async def running(transaction: Transaction) -> ExclusiveCommand | None:
    """Tell for whom all commands wait, as the transaction sees it; the lock's time may be over."""
    lock = await locks.held(transaction, NAME)
    if lock is None:
        return None
    return ExclusiveCommand(worker=lock.worker, type=lock.about, since=lock.since, until=lock.until)
