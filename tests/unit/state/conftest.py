"""Fixtures of the state's tests: a database in a file and a clock that tests move."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.proxy.proxy import Proxy
from worker.state import postgresql_connection
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


@pytest.fixture(scope="session")
def file_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, empty: to be copied, which is quicker than to make them."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    asyncio.run(_set_up("sqlite:///state.db", path.parent))
    return path


@pytest.fixture(scope="session")
def database_with_tables(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same of PostgreSQL."""
    with postgres.fresh() as url:
        asyncio.run(_set_up(url, tmp_path_factory.getbasetemp()))
        yield url


async def _set_up(url: str, base: Path) -> None:
    database = Database(url, base=base)
    await database.connect(60.0)
    await database.setup()
    await database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.broker)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind in turn: empty, or with empty tables where the test asks for ``database``."""
    has_tables = "database" in request.fixturenames
    if request.param == "sqlite":
        if has_tables:
            (tmp_path / "var").mkdir()
            shutil.copy(request.getfixturevalue("file_with_tables"), tmp_path / "var" / "state.db")
        yield "sqlite:///var/state.db"
    elif has_tables:
        like = request.getfixturevalue("database_with_tables")
        with request.getfixturevalue("postgres").fresh(like) as made:
            yield made
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


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    """The line to PostgreSQL, which can be broken."""
    with Proxy(urlsplit(postgres_url).port or 5432) as made:
        yield made


@pytest.fixture
async def connect_far(
    postgres_url: str, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., object]]:
    """Opens a database at the other end of that line; little is waited for beyond its times."""
    monkeypatch.setattr(postgresql_connection, "MARGIN", 1.0)
    parts = urlsplit(postgres_url)
    url = urlunsplit(parts._replace(netloc=f"{parts.username}:geheim@127.0.0.1:{proxy.port}"))
    opened: list[Database] = []

    async def open_one(waits: Waits) -> Database:
        database = Database(url, base=tmp_path, waits=waits, application="shop")
        opened.append(database)
        await database.connect(20.0)
        await database.setup()
        return database

    yield open_one
    proxy.clear()
    proxy.cut()
    for database in opened:
        await database.close()
