"""A handler that forgets its transaction on SQLite does not keep all others from the only writer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.unit.state.parcels import parcel
from worker.errors import HandlerTimeout
from worker.state.database import Database
from worker.state.inbox import Inbox
from worker.state.outbox import Outbox
from worker.state.sessions.lending import Lent
from worker.state.sqlite_connection import open_connection
from worker.state.unit_of_work import SqlUnitOfWork, SqlUnitsOfWork
from worker.state.waits import Waits

ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO effects SELECT max(i) FROM n"
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database("sqlite:///state.db", base=tmp_path, waits=Waits(idle=0.05))
    await database.connect(5.0)
    await database.setup()
    async with database.begin_write() as transaction:
        await transaction.run("CREATE TABLE effects (name TEXT)")
    yield database
    await database.close()


@pytest.fixture
def works(database: Database) -> SqlUnitsOfWork:
    return SqlUnitsOfWork(database, Inbox(database), "w1")


async def write(work: SqlUnitOfWork) -> None:
    with contextlib.suppress(HandlerTimeout):  # a busy machine lets the time run out before
        await work.session.execute(text("INSERT INTO effects VALUES ('mine')"))


async def others_write(database: Database) -> None:
    async with database.begin_write() as transaction:
        await transaction.run("INSERT INTO effects VALUES ('another')")


async def effects(database: Database) -> list[str]:
    async with database.begin_read() as transaction:
        return [row["name"] for row in await transaction.rows("SELECT name FROM effects ORDER BY name")]


async def test_others_write_again_and_the_handler_is_told(database: Database, works: SqlUnitsOfWork) -> None:
    work = works.open("m1", "shop.place")
    await write(work)
    await others_write(database)
    with pytest.raises(HandlerTimeout, match=r"its last statement began more than 0\.05 s ago"):
        await work.session.execute(text("INSERT INTO effects VALUES ('late')"))
    with pytest.raises(HandlerTimeout):
        await work.commit([parcel("e1")])
    await work.rollback()
    assert await effects(database) == ["another"]
    assert await Outbox(database).claim("w2", 10, 30.0) == []


async def test_what_it_wrote_is_not_committed_with_what_others_write(
    database: Database, works: SqlUnitsOfWork, tmp_path: Path
) -> None:
    patient = Database("sqlite:///state.db", base=tmp_path)
    await patient.connect(5.0)
    forgetful = works.open("m1", "shop.place")
    await write(forgetful)
    other = SqlUnitsOfWork(patient, Inbox(patient), "w2").open("m2", "shop.place")
    await other.session.execute(text("INSERT INTO effects VALUES ('other')"))
    with pytest.raises(HandlerTimeout):
        await forgetful.commit([])
    await forgetful.rollback()
    assert await other.commit([])
    assert await effects(database) == ["other"]
    await patient.close()


async def test_it_is_asked_again_as_long_as_statements_come(tmp_path: Path) -> None:
    looks, clock, ended = 0, 0.0, asyncio.Event()

    def now() -> float:
        nonlocal looks, clock
        looks += 1
        clock = 0.5 if looks < 5 else 10.0  # statements come, then no more
        return clock

    async def end() -> None:
        ended.set()

    connection = open_connection(tmp_path / "state.db")
    async with connection:
        lent = Lent(connection, end, 0.01, now=now)
        lent.watch()
        await ended.wait()
    assert looks == 5


async def test_statements_past_sqlalchemy_count_too(tmp_path: Path) -> None:
    clock, looked, ended = 0.0, asyncio.Event(), asyncio.Event()

    def now() -> float:
        if clock == 1.5:
            looked.set()
        return clock

    async def end() -> None:
        ended.set()

    connection = open_connection(tmp_path / "state.db")
    async with connection:
        lent = Lent(connection, end, 1.0, now=now)
        lent.watch()
        clock = 0.9
        await lent.execute("SELECT 1")
        clock = 1.5  # more than a second after it was lent, and less after the statement
        await looked.wait()
        await lent.execute("SELECT 1")
        assert not ended.is_set()
        clock = 3.0
        await ended.wait()


async def test_a_statement_without_end_is_ended(database: Database, works: SqlUnitsOfWork) -> None:
    work = works.open("m1", "shop.place")
    endless = asyncio.ensure_future(work.session.execute(text(ENDLESS)))
    await others_write(database)
    with pytest.raises(Exception, match=r"interrupted|its last statement"):
        await endless
    await work.rollback()
    assert await effects(database) == ["another"]


async def test_queries_that_wait_leave_readers_to_others(database: Database, works: SqlUnitsOfWork) -> None:
    waiting = [works.open(f"m{number}", "shop.look", read_only=True) for number in range(Waits().readers)]
    for work in waiting:
        with contextlib.suppress(HandlerTimeout):
            await work.session.execute(text("SELECT 1"))
    assert await effects(database) == []
    for work in waiting:
        await work.rollback()
