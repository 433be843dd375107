"""Fixtures of the state's tests: a database in a file and a clock that tests move."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from worker.state.database import Database
from worker.state.waits import Waits


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url() -> str:
    """A PostgreSQL database that tests may fill, when one is named; else a file."""
    return os.environ.get("WORKER_TEST_DATABASE", "sqlite:///var/state.db")


@pytest.fixture
async def connect(tmp_path: Path, clock: Clock, url: str) -> AsyncIterator[Callable[..., object]]:
    """Opens further connections to the same database, as further processes would."""
    opened: list[Database] = []

    async def open_one(waits: Waits | None = None) -> Database:
        database = Database(url, base=tmp_path, clock=clock, waits=waits)
        opened.append(database)
        await database.connect(5.0)
        return database

    yield open_one
    for database in opened:
        await database.close()


@pytest.fixture
async def database(connect: Callable[..., object]) -> Database:
    """Connected, with empty tables."""
    found = await connect()
    if not found.is_sqlite:
        from sqlalchemy import text

        async with found.begin_write() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
    await found.setup()
    return found
