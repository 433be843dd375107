"""The unit of work: writes, inbox row and outbox rows together or not at all."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from tests.unit.state.parcels import parcel
from worker.errors import DatabaseUnavailable, UsageError
from worker.state.inbox import Inbox
from worker.state.outbox import Outbox
from worker.state.unit_of_work import SqlUnitsOfWork


@pytest.fixture
async def works(database):
    async with database.begin_write() as connection:
        await connection.run("CREATE TABLE effects (name TEXT)")
    return SqlUnitsOfWork(database, Inbox(database), "w1")


async def effects(database) -> list[str]:
    async with database.begin_read() as connection:
        return [row["name"] for row in await connection.rows("SELECT name FROM effects")]


async def write(work, name="done"):
    await work.session.execute(text("INSERT INTO effects VALUES (:name)"), {"name": name})


async def test_everything_is_committed_together(database, works):
    """A commit keeps the handler's writes, notes its work and leaves what it sent in the outbox, in order."""
    work = works.open("m1", "shop.place")
    assert await work.begin()
    await write(work)
    assert await work.commit([parcel("e1"), parcel("e2")])
    assert await effects(database) == ["done"]
    assert await works.inbox.knows("m1", "shop.place")
    assert [row.outgoing.id for row in await Outbox(database).pending(10)] == ["e1", "e2"]


async def test_a_rollback_keeps_nothing(database, works):
    """A handler that fails leaves no write, and may run again."""
    work = works.open("m1", "shop.place")
    await write(work)
    await work.rollback()
    await work.rollback()
    assert await effects(database) == []
    assert await works.open("m1", "shop.place").begin()


async def test_a_commit_that_fails_keeps_nothing(database, works):
    """When the outbox cannot be written, neither the writes nor the inbox row stay."""
    work = works.open("m1", "shop.place")
    await write(work)
    with pytest.raises(Exception):
        await work.commit([parcel(None)])
    await work.rollback()
    assert await effects(database) == []
    assert not await works.inbox.knows("m1", "shop.place")
    assert await Outbox(database).count() == 0


async def test_nothing_is_opened_before_the_session_is_used(database, works):
    """A handler that never touches the session opens no transaction and asks no inbox."""
    async with database.begin_write():  # would make any other writer wait
        work = works.open("m1", "shop.place")
        assert await work.begin()
        assert not work.touched
        await work.rollback()


async def test_a_repeat_is_known_before_the_handler_runs(works):
    """A handler that uses the session is not called again for a message that it has committed."""
    first = works.open("m1", "shop.place")
    await write(first)
    await first.commit([])
    assert not await works.open("m1", "shop.place").begin()
    assert await works.open("m1", "shop.other").begin()
    assert await works.open("m2", "shop.place").begin()


async def test_a_repeat_after_a_restart_is_caught_by_the_commit(database, works):
    """A new process runs the handler once more, and its commit rolls everything back and sends nothing."""
    first = works.open("m1", "shop.place")
    await write(first)
    await first.commit([parcel("e1")])
    again = SqlUnitsOfWork(database, Inbox(database), "w2").open("m1", "shop.place")
    assert await again.begin()
    await write(again, "twice")
    assert not await again.commit([parcel("e2")])
    assert await effects(database) == ["done"]
    assert await Outbox(database).count() == 1


async def test_two_deliveries_at_once_have_one_effect(database, works, connect):
    """Of two deliveries of one message in two processes at the same time, exactly one is committed."""
    other = await connect()
    second_works = SqlUnitsOfWork(other, Inbox(other), "w2")

    async def deliver(makes, name):
        work = makes.open("m1", "shop.place")
        assert await work.begin()
        await write(work, name)
        return await work.commit([parcel(f"event-{name}")])

    results = await asyncio.gather(
        *(deliver(makes, name) for makes, name in ((works, "a"), (second_works, "b")))
    )
    assert sorted(results) == [False, True]
    assert len(await effects(database)) == 1
    assert await Outbox(database).count() == 1


async def test_many_handlers_of_one_process_take_turns(database, works):
    """Handlers that run at once queue for the one writer and all commit."""

    async def handle(number):
        work = works.open(f"m{number}", "shop.place")
        await work.begin()
        await write(work, str(number))
        return await work.commit([parcel(f"e{number}")])

    assert all(await asyncio.gather(*(handle(number) for number in range(30))))
    assert len(await effects(database)) == 30


async def test_the_relay_is_told_and_holds_the_rows(database):
    """Rows of a commit belong to the relay of the process that made them, which is told at once."""
    told = []
    works = SqlUnitsOfWork(database, Inbox(database), "w1", committed=lambda: told.append(True))
    work = works.open("m1", "h")
    await work.session.execute(text("SELECT 1"))
    assert await work.commit([parcel("e1")])
    assert told == [True]
    assert await Outbox(database).claim("w2", 10, 30.0) == []
    assert len(await Outbox(database).claim("w1", 10, 30.0)) == 1


async def test_a_query_reads_and_sends_nothing(works):
    """A query's work reads what is committed, and what it tries to send is an error."""
    work = works.open("q1", "shop.find", read_only=True)
    assert await work.begin()
    assert (await work.session.execute(text("SELECT count(*) FROM effects"))).scalar_one() == 0
    assert work.touched
    with pytest.raises(UsageError, match="query"):
        await work.commit([parcel("e1")])
    await work.rollback()


async def test_an_outage_behind_a_handlers_error_is_found(works):
    """A handler that wraps what its session raised is still given back, not failed."""
    work = works.open("m1", "h")
    with pytest.raises(RuntimeError) as caught:
        try:
            raise DatabaseUnavailable("gone")
        except DatabaseUnavailable as error:
            raise RuntimeError("could not store") from error
    assert isinstance(work.translate(caught.value), DatabaseUnavailable)
    own = ValueError("mine")
    assert work.translate(own) is own
