"""Named locks: one holder at a time, whatever dies, stands still or sets its clock."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance.clock import Clock
from worker.state import locks
from worker.state.exclusive import SqlExclusive
from worker.state.locks import SqlLocks
from worker.state.migrations import MIGRATIONS
from worker.state.pauses import SqlPauses
from worker.state.statement import Statement


@pytest.fixture
def clock() -> Clock:
    """One that can be set, too; it stands for the server's."""
    return Clock()


async def held(database, name: str) -> locks.Lock | None:
    async with database.begin_read() as transaction:
        return await locks.held(transaction, name)


async def test_a_name_is_one_processes_until_its_lease_is_over(database, clock):
    """It keeps the name by taking it again; the next process that asks after its end has it."""
    mine = SqlLocks(database)
    began = clock()
    assert await mine.take("scheduler", "w1", 30.0)
    assert not await mine.take("scheduler", "w2", 30.0)
    clock.advance(20)
    assert await mine.take("scheduler", "w1", 30.0)
    clock.advance(20)
    assert not await mine.take("scheduler", "w2", 30.0)
    assert (await held(database, "scheduler")).since == began
    clock.advance(11)
    assert await mine.take("scheduler", "w2", 30.0)
    assert not await mine.take("scheduler", "w1", 30.0)
    assert (await held(database, "scheduler")).since == began + 51


async def test_a_name_that_is_let_go_is_free_at_once(database):
    """Only its holder lets go of it, and may do so twice."""
    mine = SqlLocks(database)
    assert await mine.take("scheduler", "w1", 30.0)
    await mine.release("scheduler", "w2")
    assert not await mine.take("scheduler", "w2", 30.0)
    await mine.release("scheduler", "w1")
    await mine.release("scheduler", "w1")
    assert await mine.take("scheduler", "w2", 30.0)


async def test_each_name_and_each_application_has_a_lock_of_its_own(database, connect):
    """Exclusive commands wait for nothing but exclusive commands."""
    assert await SqlLocks(database).take("scheduler", "w1", 30.0)
    assert await SqlLocks(database).take("relay", "w2", 30.0)
    assert await SqlLocks(await connect(application="bank")).take("scheduler", "w3", 30.0)
    assert await SqlExclusive(database).take("w4", "m1", "T", 30.0) is not None
    assert (await SqlPauses(database).read()).exclusive.worker == "w4"


async def test_of_many_who_come_at_once_one_has_it(connect, database):
    """However they meet in the database."""
    several = [database, *[await connect() for _ in range(2)]]
    taken = await asyncio.gather(
        *(
            SqlLocks(one).take("scheduler", f"w{number}-{again}", 30.0)
            for number, one in enumerate(several)
            for again in "ab"
        )
    )
    assert sorted(taken) == [False] * 5 + [True]


@pytest.mark.parametrize("step", [3600.0, -3600.0])
async def test_a_clock_that_is_set_neither_ends_a_lock_nor_keeps_it(database, clock, step):
    """Its lease is a length of time."""
    clock.advance(1)
    assert await SqlLocks(database).take("scheduler", "w1", 30.0)
    clock.step(step)
    assert not await SqlLocks(database).take("scheduler", "w2", 30.0)
    clock.advance(31)
    assert await SqlLocks(database).take("scheduler", "w2", 30.0)


async def test_who_was_away_for_longer_than_its_lease_writes_nothing_as_the_holder(database, clock):
    """It asks in the transaction that writes."""

    async def holds(worker: str) -> bool:
        now = await database.now()
        async with database.begin_write() as transaction:
            return await locks.holds(transaction, "scheduler", worker, now)

    assert await SqlLocks(database).take("scheduler", "w1", 30.0)
    assert await holds("w1")
    clock.advance(31)
    assert not await holds("w1")
    assert await SqlLocks(database).take("scheduler", "w2", 30.0)
    assert (await holds("w1"), await holds("w2")) == (False, True)


FORMER = "application, worker, message_id, type, version, until, since"
FORMER_HELD = Statement(f"SELECT {FORMER} FROM worker_exclusive WHERE application = :application")
FORMER_CLEAR = Statement("DELETE FROM worker_exclusive WHERE application = :application")
FORMER_TAKE = Statement(
    f"INSERT INTO worker_exclusive ({FORMER}) VALUES "
    "(:application, :worker, :message_id, :type, :version, :until, :since)"
)
FORMER_EXTEND = Statement("""
    UPDATE worker_exclusive SET until = :until WHERE application = :application AND message_id = :message_id
""")
FORMER_RELEASE = Statement(
    "DELETE FROM worker_exclusive WHERE application = :application AND message_id = :message_id"
)
"""What workers of the version before say to their table."""


async def test_a_lock_that_an_earlier_version_took_is_held_on(connect, clock):
    """Its row comes along."""
    old = await connect()
    await old.migrating.upgrade([one for one in MIGRATIONS if one.version < 7])
    row = {"worker": "w1", "message_id": "m1", "type": "T", "version": 1, "since": 5.0}
    async with old.begin_write() as transaction:
        await transaction.run(FORMER_TAKE, **row, until=clock() + 30)
    await old.setup()
    exclusive = (await SqlPauses(old).read()).exclusive
    assert (exclusive.worker, exclusive.type, exclusive.since, exclusive.until) == (
        "w1",
        "T",
        5.0,
        clock() + 30,
    )
    assert await SqlExclusive(old).take("w2", "m2", "T", 30.0) is None
    assert await SqlExclusive(old).extend("m1", 60.0)


async def test_workers_of_the_version_before_and_of_this_one_hold_one_lock(database, clock):
    """As long as a deployment lasts, each finds the other's lock, in whichever of the two places it looks."""
    lock = SqlExclusive(database)
    row = {"worker": "w1", "message_id": "m1", "type": "T", "version": 1, "since": 5.0}
    until = await database.now() + 30
    async with database.begin_write() as transaction:
        await transaction.run(FORMER_CLEAR)
        await transaction.run(FORMER_TAKE, **row, until=until)
    assert await lock.take("w2", "m2", "T", 30.0) is None
    async with database.begin_write() as transaction:
        changed = await transaction.run(FORMER_EXTEND, message_id="m1", until=clock() + 90)
        assert database.is_sqlite or changed == 1  # SQLite counts nothing in a view
    assert (await SqlPauses(database).read()).exclusive.until == clock() + 90
    async with database.begin_write() as transaction:
        await transaction.run(FORMER_RELEASE, message_id="m1")
    assert await lock.take("w2", "m2", "T", 30.0) is not None
    async with database.begin_read() as transaction:
        (found,) = await transaction.rows(FORMER_HELD)
    assert (found["worker"], found["message_id"], found["until"]) == ("w2", "m2", until)
