"""A transport on an empty database, directly and through a line that can be broken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.proxy.proxy import Proxy
from transports import registry
from transports.postgres import PostgresTransport
from worker.messaging.transport import Outgoing, QueueSpec

QUEUE = QueueSpec(name="jobs", types=("Job",), keyed=True)


def message(number: int = 1, **changes: Any) -> Outgoing:
    return Outgoing(**({"queue": "jobs", "id": f"m{number}", "type": "Job", "body": b"{}"} | changes))


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    """The line to the server."""
    with Proxy(urlsplit(postgres_url).port or 5432) as made:
        yield made


@pytest.fixture
def far_url(postgres_url: str, proxy: Proxy) -> str:
    """The database at the other end of that line."""
    parts = urlsplit(postgres_url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{proxy.port}"))


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Opens transports; each is another process's."""
    opened: list[PostgresTransport] = []

    async def open_one(url: str, **options: Any) -> PostgresTransport:
        made = registry.create("jobs", url, options, base=tmp_path)
        assert isinstance(made, PostgresTransport)
        opened.append(made)
        await made.connect()
        await made.setup([QUEUE])
        return made

    yield open_one
    for transport in opened:
        await transport.close()


@pytest.fixture
async def transport(postgres_url: str, connect: Callable[..., Any]) -> PostgresTransport:
    """One over a sound line."""
    made: PostgresTransport = await connect(postgres_url)
    return made


@pytest.fixture
async def far(far_url: str, connect: Callable[..., Any], proxy: Proxy) -> AsyncIterator[PostgresTransport]:
    """One over the line that can be broken; it waits a second for an answer."""
    made: PostgresTransport = await connect(far_url, timeout=1.0)
    yield made
    proxy.clear()
    proxy.cut()  # nothing is waited for at the end


@pytest.fixture
async def sql(postgres_url: str) -> AsyncIterator[Any]:
    """A connection of the test's own to the database."""
    connection = await asyncpg.connect(postgres_url, timeout=10)
    yield connection
    await connection.close()
