"""Named locks: of all processes of an application one holds a name, until it lets go or its time is over.

A lock ends by itself after its lease, measured by the time that all processes share: a process that has died holds
the others back for no longer, and setting a clock neither ends a lock nor keeps it. A holder that stood still for longer than
its lease finds out when it takes it again. Until then, what it writes is safe where the same transaction asks ``holds``.
"""

from __future__ import annotations

import msgspec

from worker.state.database import Database
from worker.state.statement import Statement
from worker.state.transaction import Transaction

_TAKE = Statement("""
    INSERT INTO worker_locks (application, name, holder, worker, about, since, until)
    VALUES (:application, :name, :holder, :worker, :about, :since, :until)
    ON CONFLICT (application, name) DO UPDATE SET holder = excluded.holder, worker = excluded.worker,
        about = excluded.about, until = excluded.until,
        since = CASE WHEN worker_locks.holder = excluded.holder AND worker_locks.worker = excluded.worker
            AND worker_locks.until > :now THEN worker_locks.since ELSE excluded.since END
    WHERE worker_locks.until <= :now OR worker_locks.holder = excluded.holder
""")
_EXTEND = Statement("""
    UPDATE worker_locks SET until = :until
    WHERE application = :application AND name = :name AND holder = :holder
""")
_RELEASE = Statement(
    "DELETE FROM worker_locks WHERE application = :application AND name = :name AND holder = :holder"
)
_HELD = Statement("""
    SELECT holder, worker, about, since, until FROM worker_locks
    WHERE application = :application AND name = :name
""")
_HOLDS = Statement("""
    SELECT 1 FROM worker_locks
    WHERE application = :application AND name = :name AND holder = :holder AND until > :now FOR UPDATE
""")


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A name that is held.

    Attributes:
        holder: for whom it was taken; one that takes it again has it already.
        worker: the process that took it for the holder.
        about: what it is held for, as shown.
        since: when it was taken, seconds since the epoch, as people know them.
        until: when it ends by itself, on the database's ``time``.
    """

    holder: str
    worker: str
    about: str
    since: float
    until: float


class SqlLocks:
    """The named locks of an application. Every method raises DatabaseUnavailable when the database does not answer.

    Taken every few seconds, a lock is a leadership: ``if await locks.take("scheduler", worker, 30.0): ...``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, worker: str, lease: float) -> bool:
        """Take a lock, or keep it for another ``lease`` seconds; False while another process has it."""
        now, since = await self._database.now(), self._database.clock()
        lock = Lock(holder=worker, worker=worker, about="", since=since, until=now + lease)
        async with self._database.begin_write() as transaction:
            return await take(transaction, name, lock, now)

    async def release(self, name: str, worker: str) -> None:
        """Let go of a lock. Idempotent; nothing happens where another process has it."""
        async with self._database.begin_write() as transaction:
            await release(transaction, name, worker)


async def take(transaction: Transaction, name: str, lock: Lock, now: float) -> bool:
    """Take a lock, or keep it, in a transaction; False while it is another holder's."""
    return await transaction.run(_TAKE, name=name, now=now, **msgspec.structs.asdict(lock)) > 0


async def extend(transaction: Transaction, name: str, holder: str, until: float) -> bool:
    """Move a lock's end on, in a transaction; False when it is not this holder's any more."""
    return await transaction.run(_EXTEND, name=name, holder=holder, until=until) > 0


async def release(transaction: Transaction, name: str, holder: str) -> bool:
    """Let go of a lock, in a transaction; False when it is not this holder's any more."""
    return await transaction.run(_RELEASE, name=name, holder=holder) > 0


async def holds(transaction: Transaction, name: str, holder: str, now: float) -> bool:
    """Tell whether a lock is this holder's; no other takes it before the transaction, one that writes, has ended."""
    return await transaction.first(_HOLDS, name=name, holder=holder, now=now) is not None


async def held(transaction: Transaction, name: str) -> Lock | None:
    """Tell who took a lock last; None when it was let go. Its time may be over."""
    row = await transaction.first(_HELD, name=name)
    return None if row is None else Lock(**row)
