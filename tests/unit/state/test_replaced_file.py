"""A database file that is removed or replaced under a process: nothing is written to a file that no process reads."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import text

from worker.errors import DatabaseUnavailable
from worker.state import sqlite_driver
from worker.state.database import Database
from worker.state.sqlite_connection import open_connection as make
from worker.state.sqlite_driver import SqliteDriver
from worker.state.waits import Waits


async def test_a_file_that_is_gone_is_an_outage_until_one_is_back(tmp_path, monkeypatch):
    """Stores and sessions say so, make no empty one in its place, and go on with what is put there."""
    monkeypatch.setattr("worker.state.sqlite_driver._LOOK", 0.0)
    database, other = (Database("sqlite:///var/state.db", base=tmp_path) for _ in range(2))
    await database.connect()
    await database.setup()

    async def handled() -> None:
        session = database.session()
        await session.execute(text("UPDATE worker_clock SET skew = 0"))
        await session.undo()

    await handled()
    for path in (tmp_path / "var").iterdir():
        path.unlink()
    for look in (database.prove_writable, handled):
        with pytest.raises(DatabaseUnavailable, match="gone"):
            await look()
    assert not database.there
    await other.connect()
    await other.setup()
    assert await database.missing() == []
    await handled()
    for one in (database, other):
        await one.close()


async def test_a_connection_whose_borrower_is_gone_is_closed_before_it_was_lent(tmp_path, monkeypatch):
    """Cancelled between opening and the look at its file, it must not stay open, and its thread must end."""
    opened, begun, go = [], threading.Event(), threading.Event()
    monkeypatch.setattr(
        sqlite_driver,
        "open_connection",
        lambda *given, **options: opened.append(make(*given, **options)) or opened[-1],
    )
    driver = SqliteDriver(tmp_path / "state.db", "state", Waits())

    def look() -> None:
        begun.set()
        go.wait(60)

    monkeypatch.setattr(driver, "_at_path", look)
    borrowing = asyncio.create_task(driver.readers.take())
    await asyncio.to_thread(begun.wait, 60)
    borrowing.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await borrowing
    assert [connection._connection for connection in opened] == [None]
    await driver.close()
