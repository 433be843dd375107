"""A handler's session ends no transaction: whatever tries is wrong use, nothing is kept and nothing leaves."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import close_all_sessions

from tests.unit.state.parcels import parcel
from worker.errors import UsageError
from worker.state.inbox import Inbox
from worker.state.outbox import Outbox
from worker.state.unit_of_work import SqlUnitsOfWork


@pytest.fixture
async def works(database):
    async with database.begin_write() as connection:
        await connection.run("CREATE TABLE effects (name TEXT PRIMARY KEY)")
    return SqlUnitsOfWork(database, Inbox(database), "w1")


async def effects(database) -> list[str]:
    async with database.begin_read() as connection:
        return [row["name"] for row in await connection.rows("SELECT name FROM effects ORDER BY name")]


async def write(session, name="done"):
    await session.execute(text("INSERT INTO effects VALUES (:name)"), {"name": name})


async def attempt(works, handler, message="m1"):
    """Do with a unit of work what is done around each handler."""
    work = works.open(message, "shop.place")
    try:
        await handler(work.session)
        return await work.commit([parcel("e1")])
    except BaseException as error:
        await work.rollback()
        raise work.translate(error) from error


async def driver_of(session):
    raw = await (await session.connection()).get_raw_connection()
    return raw.driver_connection


async def as_context(session):
    async with session:
        await write(session)


async def as_begin_block(session):
    await write(session)
    async with session.begin():
        pass


async def in_a_nested_block(session):
    async with session.begin_nested():
        await write(session)
        await session.commit()


async def caught(session):
    await write(session)
    try:
        await session.rollback()
    except UsageError:
        pass


async def caught_and_failed_otherwise(session):
    await write(session)
    try:
        await session.rollback()
    except UsageError as error:
        raise RuntimeError("wrapped") from error


def calls(name):
    async def call(session):
        await write(session)
        await getattr(session, name)()

    return call


def calls_below(name):
    async def call(session):
        await write(session)
        await session.run_sync(lambda below: getattr(below, name)())

    return call


def calls_of_connection(name):
    async def call(session):
        await write(session)
        await getattr(await session.connection(), name)()

    return call


def calls_of_connection_below(name):
    async def call(session):
        await write(session)
        await session.run_sync(lambda below: getattr(below.connection(), name)())

    return call


def calls_of_transaction(name):
    async def call(session):
        await write(session)
        await getattr(session.get_transaction(), name)()

    return call


def calls_of_engine(name):
    async def call(session):
        found = getattr(session.bind, name)()
        if hasattr(found, "__aenter__"):
            async with found:
                pass
        else:
            await found

    return call


def says(statement):
    async def say(session):
        await write(session)
        await session.execute(text(statement))
        await write(session, "after")

    return say


def says_to_driver(method, *given):
    async def say(session):
        await write(session)
        driver = await driver_of(session)
        await getattr(driver, method)(*given)
        await write(session, "after")

    return say


async def in_autocommit(session):
    await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    await write(session)


async def connection_as_context(session):
    await write(session)
    async with await session.connection():
        pass


async def transaction_of_connection(session):
    await write(session)
    await (await session.connection()).get_transaction().commit()


async def transaction_of_connection_back(session):
    await write(session)
    await (await session.connection()).get_transaction().rollback()


WRONG = {
    "async with session": as_context,
    "session.begin block": as_begin_block,
    "commit in a nested block": in_a_nested_block,
    "rollback, caught": caught,
    "rollback, wrapped": caught_and_failed_otherwise,
    "autocommit": in_autocommit,
    "async with connection": connection_as_context,
    "connection's transaction.commit": transaction_of_connection,
    "connection's transaction.rollback": transaction_of_connection_back,
    **{f"session.{name}": calls(name) for name in ("commit", "rollback", "close", "aclose", "reset", "invalidate")},
    **{f"sync_session.{name}": calls_below(name) for name in ("commit", "rollback", "close", "reset", "invalidate", "begin")},
    **{f"connection.{name}": calls_of_connection(name) for name in ("commit", "rollback", "close", "aclose", "invalidate", "begin")},
    **{f"sync connection.{name}": calls_of_connection_below(name) for name in ("commit", "rollback")},
    **{f"transaction.{name}": calls_of_transaction(name) for name in ("commit", "rollback")},
    **{f"engine.{name}": calls_of_engine(name) for name in ("connect", "begin", "raw_connection", "dispose")},
    **{said: says(said) for said in (
        "commit", "COMMIT;", "END", "end transaction", "rollback", "ROLLBACK", "BEGIN", "begin immediate",
        "  \n commit", "-- over\ncommit", "/* over */ COMMIT", ";commit",
    )},
}  # fmt: skip


async def refused(database, works, wrong) -> list[str]:
    """What is not as it must be after each of these handlers; messages are numbered."""
    faults = []
    for number, (name, handler) in enumerate(wrong.items()):
        try:
            await attempt(works, handler, f"m{number}")
            faults.append(f"{name}: done")
        except UsageError:
            pass
        except Exception as error:
            faults.append(f"{name}: {type(error).__name__}: {error}")
        if await works.inbox.knows(f"m{number}", "shop.place"):
            faults.append(f"{name}: noted as done")
        assert await attempt(
            works, lambda session, number=number: write(session, f"next {number}"), f"n{number}"
        )
    kept = [name for name in await effects(database) if not name.startswith("next")]
    return faults + kept


async def test_what_would_end_the_transaction_is_refused(database, works):
    """The handler's writes, its inbox row and its events stay away together, and the next handler is not concerned."""
    assert await refused(database, works, WRONG) == []
    assert await Outbox(database).count() == 1  # all sent under one id: that of those which were done


async def test_savepoints_are_no_end(database, works):
    """Nested, undone or by their own words, and with errors that they catch."""

    async def handle(session):
        await write(session, "one")
        async with session.begin_nested():
            await write(session, "two")
        try:
            async with session.begin_nested():
                await write(session, "one")
        except Exception:
            pass
        await session.execute(text("SAVEPOINT mine"))
        await write(session, "three")
        await session.execute(text("ROLLBACK TO SAVEPOINT mine"))
        await session.execute(text("RELEASE SAVEPOINT mine"))
        nested = await session.begin_nested()
        await write(session, "four")
        await nested.rollback()
        await (await session.connection()).execute(text("INSERT INTO effects VALUES ('five')"))
        assert session.bind.dialect.name in {"sqlite", "postgresql"}

    assert await attempt(works, handle)
    assert await effects(database) == ["five", "one", "two"]
    assert await Outbox(database).count() == 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_session_is_of_no_use_after_its_handler(database, works):
    """A task that a handler left behind begins no transaction, as it would never end: on SQLite it is the only writer's."""
    for ends in ("commit", "rollback"):
        work = works.open(ends, "shop.place")
        session = work.session
        await write(session, ends)
        await (work.commit([]) if ends == "commit" else work.rollback())
        for late in (write, calls("flush"), calls("commit"), calls("begin_nested")):
            with pytest.raises(Exception, match=r"closed|ended"):
                await late(session)
    assert await effects(database) == ["commit"]
    assert await attempt(works, lambda session: write(session, "next"), "m2")


async def test_a_session_that_is_in_use_when_its_handler_ends_is_taken_away(database, works):
    """The writer comes back, however long the task that was left behind goes on asking."""
    left: list[asyncio.Task[None]] = []

    async def handle(session):
        await write(session, "kept")
        left.append(asyncio.ensure_future(write(session, "late")))
        await asyncio.sleep(0)
        raise ValueError

    for number in range(3):
        with pytest.raises(ValueError):
            await attempt(works, handle, f"m{number}")
    await asyncio.gather(*left, return_exceptions=True)
    assert await attempt(works, lambda session: write(session, "next"), "next")
    assert await effects(database) == ["next"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_session_in_another_thread_is_refused(works):
    """Its connection belongs to the loop of its handler."""

    async def handle(session):
        await write(session)
        await asyncio.to_thread(asyncio.run, write(session, "there"))

    with pytest.raises(UsageError, match="thread"):
        await attempt(works, handle)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_closing_all_sessions_concerns_no_other_message(database, works):
    """Who tries is told, and those whose sessions it would have closed go on."""
    other = works.open("m1", "shop.place")
    await other.session.run_sync(lambda below: None)
    with pytest.raises(UsageError):
        await attempt(works, lambda session: close_all_sessions(), "m2")
    await write(other.session, "other")
    assert await other.commit([])
    assert await effects(database) == ["other"]


SCRIPT = "INSERT INTO effects VALUES ('script')"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_past_sqlalchemy_nothing_ends_it_either(database, works):
    """SQLite's driver: a script would commit before it begins."""
    said = [
        ("commit",), ("execute", "COMMIT"), ("execute", "END"), ("executescript", SCRIPT), ("rollback",), ("close",),
        ("execute", "/**/ commit"), ("executemany", "commit", []),
    ]  # fmt: skip
    assert await refused(database, works, {str(it): says_to_driver(*it) for it in said}) == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_setting_that_the_connection_would_keep_is_refused(database, works):
    """``query_only`` would stop every writer of the process; what only reads is no setting."""
    settings = ["PRAGMA query_only = 1", "pragma main.locking_mode=exclusive", "PRAGMA busy_timeout(0)"]
    assert await refused(database, works, {it: says(it) for it in settings}) == []
    for it in ("PRAGMA table_info('effects')", "PRAGMA user_version", "PRAGMA defer_foreign_keys = 1"):
        assert await attempt(works, lambda session, it=it: session.execute(text(it)), it)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_statement_that_rolls_back_on_a_conflict_ends_the_message(database, works):
    """``INSERT OR ROLLBACK`` ends the transaction by itself: what comes after it would be kept at once."""

    async def handle(session):
        await write(session, "one")
        try:
            await session.execute(text("INSERT OR ROLLBACK INTO effects VALUES ('one')"))
        except Exception:
            pass
        await write(session, "two")

    with pytest.raises(UsageError, match="ended"):
        await attempt(works, handle)
    assert await effects(database) == []


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_transaction_that_was_ended_past_sqlalchemy_is_noticed(database, works):
    """PostgreSQL's driver lets it happen by some ways; then the event does not leave, and the error says what was wrong."""

    def ends(*said):
        async def handle(session):
            await write(session)
            driver = await driver_of(session)
            for method, statement in said:
                await getattr(driver, method)(statement)

        return handle

    ended = {
        "said": ends(("execute", "COMMIT")),
        "fetched": ends(("fetch", "ROLLBACK")),
        "begun again": ends(("fetch", "ROLLBACK"), ("fetch", "BEGIN")),
        "in the driver's own words": ends(("execute", "ROLLBACK;"), ("fetch", "BEGIN")),
        "among others": ends(("execute", "SELECT 1; ROLLBACK; BEGIN")),
    }
    assert await refused(database, works, ended) == []
    assert await Outbox(database).count() == 1
