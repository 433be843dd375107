"""A temporary database that a test gets is the one that migrations make."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tests import tables
from worker.state.database import Database
from worker.state.sqlite_driver import SqliteDriver


async def test_a_copy_is_what_migrations_make(tmp_path: Path) -> None:
    copied = [await described(tmp_path) for _ in range(2)]
    assert copied == [await described(tmp_path, anew=True)] * 2
    assert len(copied[0][0]) > 20


async def test_a_copy_of_another_application_is_not_taken(tmp_path: Path) -> None:
    _, mine = await described(tmp_path, "one")
    _, others = await described(tmp_path, "other")
    assert (mine, others) == ([("one", 0)], [("other", 0)])


async def described(
    base: Path, application: str = "copies", *, anew: bool = False
) -> tuple[Sequence[object], Sequence[object]]:
    """All that a new temporary database declares, and to whom its first rows belong."""
    database = Database("sqlite://", base=base, application=application)
    await database.connect(5.0)
    try:
        await (tables._set_up(database) if anew else database.setup())
        assert await database.missing() == []
        async with database.begin_write():
            pass
        driver = database._driver
        assert isinstance(driver, SqliteDriver)
        connection = await driver.readers.take()
        try:
            return await connection.do(_read)
        finally:
            await driver.end(driver.readers, connection)
    finally:
        await database.close()


def _read(raw: sqlite3.Connection) -> tuple[Sequence[object], Sequence[object]]:
    schema = raw.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")
    return schema.fetchall(), raw.execute("SELECT * FROM worker_control").fetchall()
