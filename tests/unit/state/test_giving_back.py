"""Connections to SQLite that are given back: nothing stays open on them, and no caller waits without need."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import text

from worker.state import sqlite_connection, sqlite_driver
from worker.state.database import Database
from worker.state.sqlite_connection import SwiftConnection
from worker.state.sqlite_driver import SqliteDriver
from worker.state.waits import Waits


@pytest.fixture
async def database(tmp_path):
    """One on a file."""
    database = Database("sqlite:///state.db", base=tmp_path)
    await database.connect()
    await database.setup()
    yield database
    await database.close()


@pytest.fixture
async def driver(tmp_path):
    """The driver of a file, with one connection that reads."""
    driver = SqliteDriver(tmp_path / "state.db", "state", Waits(readers=1))
    await driver.open()
    yield driver
    await driver.close()


@pytest.fixture
def waited(monkeypatch):
    """Count what threads are asked for and waited for."""
    calls: list[object] = []
    ask = SwiftConnection._execute

    async def counted(self, fn, *given, **options):
        calls.append(fn)
        return await ask(self, fn, *given, **options)

    monkeypatch.setattr(SwiftConnection, "_execute", counted)
    return calls


async def read(database: Database) -> int:
    """Read by a session, and let go of it."""
    session = database.session(read_only=True)
    found = (await session.execute(text("SELECT skew FROM worker_clock"))).scalar_one()
    await session.let_go()
    return int(found)


async def write(database: Database, skew: int) -> None:
    """Write and commit by a session, and let go of it."""
    session = database.session()
    await session.execute(text("UPDATE worker_clock SET skew = :skew"), {"skew": skew})
    await session.settle()
    await session.let_go()


async def test_a_read_waits_for_its_thread_once(database, waited):
    """Its transaction begins with the statement, and no caller waits for its end."""
    await read(database)
    waited.clear()
    await read(database)
    assert len(waited) == 1


async def test_a_write_waits_for_what_it_does_alone(database, waited):
    """For its beginning, its statement and its commit: after that nothing is open."""
    await write(database, 1)
    waited.clear()
    await write(database, 2)
    assert len(waited) == 3


async def test_the_next_reader_sees_what_was_written_meanwhile(database):
    """The transaction before it on the same connection has ended."""
    for skew in range(5):
        await write(database, skew)
        assert await read(database) == skew


async def test_what_only_read_ends_though_nobody_asks_for_the_connection_again(driver, monkeypatch):
    """An open one would keep the write-ahead log from being cut."""
    connection = await driver.readers.take()
    await connection.do(lambda raw: raw.execute("BEGIN").execute("SELECT * FROM sqlite_master").fetchall())
    assert connection.raw.in_transaction
    ended = threading.Event()
    monkeypatch.setattr(sqlite_driver, "_roll_back", lambda raw: (raw.rollback(), ended.set()))
    await driver.end(driver.readers, connection)
    assert await asyncio.to_thread(ended.wait, 10)
    assert not connection.raw.in_transaction


async def test_the_end_of_a_read_wakes_no_thread_that_is_woken_soon_for_another(driver, monkeypatch):
    """It is done before the next statement on the connection, which sees nothing of it."""
    done = []
    connection = await driver.readers.take()
    await connection.do(lambda raw: raw.execute("BEGIN"))
    monkeypatch.setattr(sqlite_driver, "_roll_back", lambda raw: (raw.rollback(), done.append("end")))
    monkeypatch.setattr(sqlite_connection, "_LATER", 3600.0)
    await driver.end(driver.readers, connection)
    assert connection._tx.empty()
    assert await driver.readers.take() is connection
    await connection.do(lambda raw: done.append(raw.in_transaction))
    assert done == ["end", False]
    driver.readers.give(connection)


async def test_a_connection_that_still_works_is_lent_to_nobody(driver):
    """Its borrower was cancelled; the thread goes on with the statement, and the next one must not wait behind it."""
    go = threading.Event()
    connection = await driver.readers.take()
    working = asyncio.ensure_future(connection.do(lambda _: go.wait(60)))
    await asyncio.sleep(0)
    working.cancel()
    await asyncio.wait([working])
    ending = asyncio.ensure_future(driver.end(driver.readers, connection))
    await asyncio.sleep(0)
    assert not ending.done()
    go.set()
    await ending
    assert connection.quiet
    assert await driver.readers.take() is connection
    driver.readers.give(connection)


async def test_a_statement_that_failed_is_looked_after_before_the_connection_is_lent_again(driver, waited):
    """The caller whose statement failed waits until it is rolled back, or the connection is dropped."""
    connection = await driver.readers.take()
    with pytest.raises(Exception, match="no such table"):
        await connection.do(lambda raw: raw.execute("BEGIN").execute("SELECT * FROM missing"))
    waited.clear()
    await driver.end(driver.readers, connection)
    assert len(waited) == 1
    assert not connection.raw.in_transaction


async def test_closing_waits_for_the_thread_of_one_that_was_given_up(driver, monkeypatch):
    """Its borrower was cancelled while it was looked at; the thread must not answer a loop that is closed."""
    looking, go = threading.Event(), threading.Event()

    def slow() -> tuple[int, int]:
        looking.set()
        go.wait(60)
        return 0, 0

    connection = await driver.readers.take()
    driver.readers.give(connection)
    connection.looked = float("-inf")
    monkeypatch.setattr(driver, "_at_path", slow)
    taking = asyncio.ensure_future(driver.readers.take())
    assert await asyncio.to_thread(looking.wait, 60)
    taking.cancel()
    await asyncio.wait([taking])
    closing = asyncio.ensure_future(driver.close())
    done, _ = await asyncio.wait([closing], timeout=0.1)
    assert not done
    go.set()
    await closing
    connection._thread.join(10)
    assert not connection._thread.is_alive()


async def test_one_whose_rolling_back_is_cancelled_is_hung_up(driver):
    """With the loop everything on it is cancelled, also what gives connections back."""
    go = threading.Event()
    connection = await driver.readers.take()
    working = asyncio.ensure_future(connection.do(lambda _: go.wait(60)))
    await asyncio.sleep(0)
    ending = asyncio.ensure_future(driver.end(driver.readers, connection))
    await asyncio.sleep(0)
    (end,) = driver._ending
    end.cancel()
    await asyncio.wait([end])
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await ending
    await driver.close()
    await asyncio.wait([working])
    connection._thread.join(10)
    assert not connection._thread.is_alive()


async def test_one_that_is_hung_up_twice_keeps_nobody_waiting(driver):
    """Its thread is at its end after the first time, and answers no second one."""
    connection = await driver.readers.take()
    driver._hang_up(connection)
    driver.readers.drop(connection)
    async with asyncio.timeout(5):
        await driver.close()
        await connection.stop()
