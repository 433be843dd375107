"""Migrations: once each, however many processes run them at once, and never backwards."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import MetaData, text

from worker.errors import ConfigurationError
from worker.state.database import Database
from worker.state.migrating import pending
from worker.state.migrations import MIGRATIONS, Migration
from worker.state.waits import Waits


async def reflected(database) -> MetaData:
    """What is there."""
    found = MetaData()
    session = database.session(read_only=True)
    await (await session.connection()).run_sync(found.reflect)
    await session.undo()
    return found


async def test_setup_is_repeatable(connect):
    """What is missing is named before, nothing is after, and setup can be called again."""
    database = await connect()
    assert await database.missing() == [migration.name for migration in MIGRATIONS]
    await database.setup()
    assert await database.missing() == []
    await database.setup()


async def test_two_engines_at_once(connect):
    """Engines that set up at the same time all succeed, and each migration is applied once."""
    databases = [await connect() for _ in range(4)]
    await asyncio.gather(*(database.setup() for database in databases))
    async with databases[0].begin_read() as connection:
        count = await connection.value("SELECT count(*) FROM worker_schema_version")
    assert count == len(MIGRATIONS)


PROCESSES = """
import asyncio, os, pathlib, sys
from worker.state.database import Database

async def main():
    database = Database(sys.argv[2], base=pathlib.Path(sys.argv[1]))
    await database.connect(20)
    await database.setup()
    print(await database.missing())
    await database.close()

for _ in range(3):
    if os.fork() == 0:
        asyncio.run(main())
        sys.exit(0)
assert [os.wait()[1] for _ in range(3)] == [0, 0, 0]
"""
"""They begin at the same moment, as what takes long to import is there before."""


@pytest.mark.slow
def test_two_processes_at_once(tmp_path, url):
    """Processes that start on one new database at the same time all succeed."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESSES, str(tmp_path), url], capture_output=True, text=True, timeout=60
    )
    # a line of one process may come between the text of another's and its end
    assert (done.returncode, "".join(done.stdout.split())) == (0, "[]" * 3), done.stderr


@pytest.mark.parametrize("application", ["shop", "", "it's one's own"])
async def test_an_empty_file_gets_at_once_what_its_migrations_come_to(tmp_path, application):
    """Table by table and row by row, but for the time: they are applied to no empty file one by one."""

    async def made(name: str, known: Sequence[Migration]) -> tuple[list[Any], list[str]]:
        database = Database(f"sqlite:///{name}", base=tmp_path, application=application, clock=lambda: 7.0)
        await database.connect()
        await database.migrating.upgrade(known)
        assert await database.missing() == []
        await database.close()
        with contextlib.closing(sqlite3.connect(tmp_path / name)) as connection:
            schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
            return sorted(schema), sorted(connection.iterdump())

    at_once, one_by_one = await made("at_once.db", MIGRATIONS), await made("each.db", list(MIGRATIONS))
    assert at_once == one_by_one
    assert any("worker_schema_version" in row and "7.0" in row for row in at_once[1])


async def test_a_file_with_tables_of_others_gets_its_own_beside_them(tmp_path):
    """Mapped classes may be there before; nothing of theirs is touched."""
    with contextlib.closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        connection.executescript("CREATE TABLE books (title TEXT); INSERT INTO books VALUES ('Dune')")
    database = Database("sqlite:///state.db", base=tmp_path)
    await database.connect()
    await database.setup()
    assert await database.missing() == []
    async with database.begin_read() as transaction:
        assert await transaction.value("SELECT title FROM books") == "Dune"
    await database.close()


async def test_a_newer_database_is_refused(database):
    """A program that is older than the database's tables says so and touches nothing."""
    async with database.begin_write() as connection:
        await connection.run("INSERT INTO worker_schema_version VALUES (999, '0999_future', 0)")
    for call in (database.setup, database.missing):
        with pytest.raises(ConfigurationError, match="0999_future"):
            await call()


async def test_only_what_is_missing_is_applied(database):
    """A later migration is applied to a database that has the earlier ones."""
    later = Migration(
        998,
        "0998_more",
        lambda connection, _application: connection.execute(text("CREATE TABLE more (id INTEGER)")),
    )
    known = (*MIGRATIONS, later)

    async def missing() -> list[str]:
        async with database.begin_read() as transaction:
            return [migration.name for migration in await pending(transaction, known)]

    assert await missing() == ["0998_more"]
    await database.migrating.upgrade(known)
    assert await missing() == []


async def test_a_failed_migration_changes_nothing(database):
    """A migration that fails half-way leaves the tables as they were."""

    def broken(connection, _application):
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        await database.migrating.upgrade((*MIGRATIONS, Migration(998, "0998_broken", broken)))
    found = await reflected(database)
    assert "half" not in found.tables


async def test_the_tables_are_as_the_last_migration_of_each_defines_them(database):
    """Columns, keys and indexes, also where a table was made by an earlier migration and changed in its place."""

    def shape(tables: MetaData) -> dict[str, tuple[set[object], set[object]]]:
        return {
            table.name: (
                {(c.name, c.primary_key, c.nullable) for c in table.columns},
                {(index.name, tuple(c.name for c in index.columns)) for index in table.indexes},
            )
            for table in tables.sorted_tables
            if table.name.startswith("worker_")
        }

    made, wanted = shape(await reflected(database)), {}
    for migration in MIGRATIONS:
        module = import_module(f"worker.state.migrations.m{migration.name}")
        wanted |= shape(getattr(module, "_metadata", MetaData()))
    del wanted["worker_exclusive"]  # a view by now
    for name, (columns, indexes) in wanted.items():
        assert columns <= made[name][0]  # a later migration may have added one
        assert indexes <= made[name][1]  # PostgreSQL lists the index of a unique constraint too
    assert made.keys() == {"worker_schema_version", *wanted}


class Locked(Exception):
    """What PostgreSQL says of a lock that it has waited for long enough."""

    sqlstate = "55P03"


async def test_whoever_comes_while_another_changes_the_tables_waits_for_that(connect, database, monkeypatch):
    """However long it takes: processes of a fleet start together, and one that gave up would end them all."""
    late = await connect(waits=Waits(lock=0.05) if database.is_sqlite else None)
    tried: list[bool] = []
    applied = late.migrating.upgrade

    async def counted() -> None:
        tried.append(True)
        if not database.is_sqlite and len(tried) < 3:
            raise Locked
        await applied()

    async def lacking() -> list[str]:
        return ["0999_large"]

    monkeypatch.setattr(late.migrating, "upgrade", counted)
    monkeypatch.setattr(late.migrating, "missing", lacking)
    async with database.begin_write() if database.is_sqlite else contextlib.nullcontext():
        waiting = asyncio.create_task(late.setup())
        while len(tried) < 3:
            await asyncio.sleep(0.01)
    await waiting
