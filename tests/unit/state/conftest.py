"""Fixtures of the state's tests: a database in a file and a clock that tests move."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
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
        yield request.getfixturevalue("postgresql_url")


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """An empty PostgreSQL database."""
    server = os.environ.get("WORKER_TEST_POSTGRES")
    if not server:
        pytest.skip("needs PostgreSQL: WORKER_TEST_POSTGRES=postgresql://postgres@localhost:5432/postgres")
    name = f"test_{uuid.uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name}")
    yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


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
    await found.setup()
    return found


def _execute(server: str, statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(server, timeout=10)
        await connection.execute(statement)
        await connection.close()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, execute()).result()
