"""Temporary databases get their tables as a copy of those that this process has made first.

``sqlite://`` is a file in a folder of its own, which ``TestWorker`` and most tests of a whole service begin with. All
migrations are two hundred statements, which take ten times as long as the copy. A database that has a place of its own
or is there already is set up as ever: those are what the tests of the migrations look at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from worker.state.database import Database
from worker.state.migrations import MIGRATIONS
from worker.state.sqlite_driver import SqliteDriver

_set_up = Database.setup


@pytest.fixture(scope="session", autouse=True)
def copied_tables() -> Iterator[None]:
    """Let every service of a test begin with copies."""
    made: dict[str, bytes] = {}

    async def setup(database: Database) -> None:
        """Create and change tables as needed, or copy them."""
        driver = database._driver
        if (
            not isinstance(driver, SqliteDriver)
            or driver._forget is None
            or len(await database.missing()) < len(MIGRATIONS)
        ):
            await _set_up(database)
            return
        found = made.get(database.application)
        if found is None:
            await _set_up(database)
        connection = await driver.writers.take()
        try:
            if found is None:
                made[database.application] = await connection.do(_content)
            else:
                await connection.do(_fill, found)
        finally:
            await driver.end(driver.writers, connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "setup", setup)
        yield


def _content(raw: sqlite3.Connection) -> bytes:
    with closing(sqlite3.connect(":memory:")) as copy:
        raw.backup(copy)
        content = bytearray(copy.serialize())
    content[18:20] = b"\1\1"  # what has no file has no write-ahead log, which is noted there
    return bytes(content)


def _fill(raw: sqlite3.Connection, content: bytes) -> None:
    with closing(sqlite3.connect(":memory:")) as copy:
        copy.deserialize(content)
        copy.backup(raw)
