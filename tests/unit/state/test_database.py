"""The database: opening, outages, and transactions that do not wait for ever."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.full_disk import full_disk
from worker.errors import ConfigurationError, DatabaseUnavailable, UsageError
from worker.state.database import Database
from worker.state.migrations import MIGRATIONS
from worker.state.statement import Statement
from worker.state.waits import Waits

HASTY = Waits(pool=0.05, lock=0.05, transaction=2.0)


async def test_looking_makes_no_file(tmp_path):
    """Neither the file nor its folder; everything is missing, and it does not answer."""
    database = Database("sqlite:///var/worker.db", base=tmp_path)
    await database.connect(create=False)
    assert await database.missing() == [migration.name for migration in MIGRATIONS]
    assert not database.there
    with pytest.raises(DatabaseUnavailable, match="no such file"):
        await database.ping()
    await database.close()
    assert list(tmp_path.iterdir()) == []
    maker = Database("sqlite:///var/worker.db", base=tmp_path)
    await maker.connect()
    await maker.setup()
    await maker.close()
    await database.connect(create=False)
    assert await database.missing() == []
    await database.close()


async def test_a_disk_that_is_full_takes_no_writes(tmp_path):
    """To be allowed to write is not enough: something is written; and what is in the file is the same afterwards."""
    database = Database("sqlite:///worker.db", base=tmp_path)
    await database.connect()
    await database.setup()
    await database.prove_writable()
    with full_disk(), pytest.raises(DatabaseUnavailable, match=r"worker\.db"):
        await database.prove_writable()
    await database.prove_writable()
    await database.prove_well(1.0)
    assert await database.missing() == []
    await database.close()


async def test_a_file_that_another_writer_holds_is_well(tmp_path):
    """That another process writes to it proves that it takes writes; the caller is held up no longer than it asked for."""
    database = Database("sqlite:///worker.db", base=tmp_path)
    await database.connect()
    other = sqlite3.connect(tmp_path / "worker.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await database.prove_well(0.01)
    other.close()
    with full_disk(), pytest.raises(DatabaseUnavailable):
        await database.prove_well(5.0)
    await database.close()


async def test_a_last_try_that_is_cut_short_does_not_hide_the_reason(tmp_path, monkeypatch):
    """What refused the tries before is told, not that the rest of the time ran out."""
    database = Database("sqlite:///state.db", base=tmp_path)
    tries = []

    async def refuse_then_hang(*, create: bool) -> None:
        tries.append(create)
        if len(tries) > 1:
            await asyncio.Event().wait()
        raise DatabaseUnavailable("connection refused")

    monkeypatch.setattr(database._driver, "open", refuse_then_hang)
    monkeypatch.setattr("worker.state.database._PAUSE", 0.0)
    with pytest.raises(DatabaseUnavailable, match="connection refused"):
        await database.connect(0.05)
    assert len(tries) == 2


async def test_the_folder_is_created(tmp_path):
    """A database in a folder that does not exist is created with it."""
    database = Database("sqlite:///a/b/state.db", base=tmp_path)
    await database.connect(5.0)
    await database.close()
    assert (tmp_path / "a/b/state.db").exists()


async def test_a_file_is_durable_and_read_while_written(tmp_path):
    """Files are in WAL mode and every commit is synced."""
    database = Database("sqlite:///state.db", base=tmp_path)
    await database.connect(5.0)
    async with database.begin_write() as connection:
        assert await connection.value("PRAGMA journal_mode") == "wal"
        assert await connection.value("PRAGMA synchronous") == 2
    await database.close()


@pytest.mark.parametrize("content", [None, b"this is not a database, whatever its name says" * 100])
async def test_what_cannot_be_opened_is_unavailable_at_once(tmp_path, content):
    """A path that is a folder, or a file that is no database, is named in DatabaseUnavailable without waiting."""
    path = tmp_path / "state.db"
    path.mkdir() if content is None else path.write_bytes(content)
    database = Database("sqlite:///state.db", base=tmp_path)
    async with asyncio.timeout(5.0):
        with pytest.raises(DatabaseUnavailable, match=r"state\.db"):
            await database.connect(60.0)
    await database.close()


async def test_sessions_and_stores_see_the_same_data_in_memory():
    """`sqlite://` is one database for all connections, and gone when it is closed."""
    database = Database("sqlite://", base=Path("/nonexistent"))
    await database.connect(5.0)
    folder = database._driver.path.parent
    async with database.begin_write() as connection:
        await connection.run("CREATE TABLE things (name TEXT)")
    session = database.session()
    await session.execute(text("INSERT INTO things VALUES ('one')"))
    await session.settle()
    await session.undo()
    async with database.begin_read() as connection:
        assert await connection.value("SELECT name FROM things") == "one"
    await database.close()
    await database.close()
    assert not folder.exists()


async def test_another_processs_lock_is_unavailable(tmp_path):
    """A write lock that another process holds too long is DatabaseUnavailable, in stores and in sessions."""
    database = Database("sqlite:///state.db", base=tmp_path, waits=HASTY)
    await database.connect(5.0)
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable, match="locked"):
        async with database.begin_write():
            pass
    session = database.session()
    with pytest.raises(DatabaseUnavailable, match="locked"):
        await session.execute(text("SELECT 1"))
    await session.undo()
    other.execute("ROLLBACK")
    async with database.begin_write():
        pass
    other.close()
    await database.close()


async def test_waiting_for_this_processs_own_writer_is_bounded(tmp_path):
    """A writer that waits too long behind another of its process gets DatabaseUnavailable."""
    database = Database("sqlite:///state.db", base=tmp_path, waits=HASTY)
    await database.connect(5.0)
    async with database.begin_write():
        with pytest.raises(DatabaseUnavailable, match="no connection"):
            async with database.begin_write():
                pass
        session = database.session()
        with pytest.raises(DatabaseUnavailable, match="no connection"):
            await session.execute(text("SELECT 1"))
        await session.undo()
    await database.close()


async def test_a_transaction_is_bounded(tmp_path):
    """A store's transaction that takes too long is rolled back and is DatabaseUnavailable; the next one works."""
    database = Database("sqlite:///state.db", base=tmp_path, waits=Waits(transaction=0.05))
    await database.connect(5.0)
    with pytest.raises(DatabaseUnavailable, match=r"within 0\.05 s"):
        async with database.begin_write() as connection:
            await connection.run("CREATE TABLE things (name TEXT)")
            await asyncio.Event().wait()
    database._waits = Waits()  # what must work gets the usual time, on a loaded machine, too
    async with database.begin_write() as connection:
        await connection.run("CREATE TABLE things (name TEXT)")
    await database.close()


async def test_errors_in_the_statement_stay_what_they_are(database):
    """Only an outage is DatabaseUnavailable: a violated constraint or a wrong statement is the caller's."""
    async with database.begin_write() as connection:
        await connection.run("CREATE TABLE things (name TEXT PRIMARY KEY)")
        await connection.run("INSERT INTO things VALUES ('one')")
    with pytest.raises((sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)):
        async with database.begin_write() as connection:
            await connection.run("INSERT INTO things VALUES ('one')")
    with pytest.raises(Exception) as caught:
        async with database.begin_write() as connection:
            await connection.run("SELEC")
    assert not isinstance(caught.value, DatabaseUnavailable)


async def test_errors_do_not_show_parameters(database):
    """What a statement was given stays out of errors, which go to logs."""
    async with database.begin_write() as connection:
        await connection.run("CREATE TABLE things (name TEXT PRIMARY KEY)")
    store = Statement("INSERT INTO things VALUES (:name)")
    async with database.begin_write() as connection:
        await connection.run(store, name="secret")
    with pytest.raises(Exception) as caught:
        async with database.begin_write() as connection:
            await connection.run(store, name="secret")
    assert "secret" not in str(caught.value).split("DETAIL")[0]
    insert = text("INSERT INTO things VALUES (:name)")
    session = database.session()
    with pytest.raises(IntegrityError) as caught:
        await session.execute(insert, {"name": "secret"})
    await session.undo()
    assert "secret" not in str(caught.value).split("DETAIL")[0]


async def test_a_read_session_cannot_write(database):
    """A query handler's session refuses writes, and that is no outage."""
    session = database.session(read_only=True)
    with pytest.raises(Exception) as caught:
        await session.execute(text("CREATE TABLE things (name TEXT)"))
    assert not isinstance(caught.value, DatabaseUnavailable)
    if database.is_sqlite:
        assert isinstance(caught.value, OperationalError)
    await session.undo()


async def test_a_cancelled_transaction_leaves_nothing(database):
    """A handler cancelled in the middle of its transaction leaves no write and no lock behind."""
    async with database.begin_write() as connection:
        await connection.run("CREATE TABLE things (name TEXT)")
    started = asyncio.Event()

    async def work():
        session = database.session()
        try:
            await session.execute(text("INSERT INTO things VALUES ('one')"))
            started.set()
            while True:
                await session.execute(text("SELECT 1"))
        finally:
            await session.undo()

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with database.begin_write() as connection:
        assert await connection.value("SELECT count(*) FROM things") == 0


@pytest.mark.parametrize("call", ["commit", "rollback", "begin"])
async def test_a_handler_does_not_end_its_own_transaction(database, call):
    """Committing by hand would part a handler's writes from its events, so it is refused and says why."""
    session = database.session()
    with pytest.raises(UsageError, match=r"context\.session"):
        result = getattr(session, call)()
        await result
    await session.undo()


async def test_postgresql_without_its_driver_says_what_to_install(tmp_path, monkeypatch):
    """The missing driver of an optional database is a configuration error that names the extra."""
    import sys

    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(ConfigurationError, match=r"command-worker\[postgres\]"):
        Database("postgresql://host/name", base=tmp_path)
