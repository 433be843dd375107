"""Fixtures of the state's tests: a database in a file and a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield "sqlite:///var/state.db"
    else:
        yield request.getfixturevalue("postgres_url")


@pytest.fixture
async def connect(tmp_path: Path, clock: Clock, url: str) -> AsyncIterator[Callable[..., object]]:
    """Opens further connections to the same database, as further processes would."""
    opened: list[Database] = []

    async def open_one(waits: Waits | None = None, application: str = "shop") -> Database:
        database = Database(url, base=tmp_path, clock=clock, waits=waits, application=application)
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
    await found.setup()
    return found
