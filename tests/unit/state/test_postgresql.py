"""The state on PostgreSQL while the line to it breaks: outages are named, bounded, and over by themselves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.proxy.proxy import Proxy
from worker.errors import ConfigurationError, DatabaseUnavailable
from worker.state import postgresql_connection
from worker.state.database import Database
from worker.state.inbox import Inbox
from worker.state.unit_of_work import SqlUnitsOfWork
from worker.state.waits import Waits

pytestmark = [pytest.mark.broker, pytest.mark.fault]

HASTY = Waits(pool=1.0, lock=1.0, statement=2.0, answer=4.0, readers=2, sessions=2)


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    with Proxy(urlsplit(postgres_url).port or 5432) as made:
        yield made


@pytest.fixture
async def far(postgres_url: str, proxy: Proxy, tmp_path: Path) -> AsyncIterator[Database]:
    """A database at the other end of a line that can be broken."""
    parts = urlsplit(postgres_url)
    url = urlunsplit(parts._replace(netloc=f"{parts.username}:geheim@127.0.0.1:{proxy.port}"))
    database = Database(url, base=tmp_path, waits=HASTY)
    await database.connect(20.0)
    await database.setup()
    async with database.begin_write() as connection:
        await connection.run("CREATE TABLE things (name TEXT)")
    yield database
    proxy.clear()
    await database.close()


async def work_again(database: Database) -> None:
    """The outage is over by itself."""
    async with asyncio.timeout(30):
        while True:
            try:
                await database.ping()
                session = database.session()
                await session.execute(text("SELECT 1"))
                await session.undo()
                return
            except DatabaseUnavailable:
                await asyncio.sleep(0.05)


async def test_connections_that_died_unused_cost_no_error(far, proxy, monkeypatch):
    """After a restart of the server the first statement opens a new connection."""
    monkeypatch.setattr(postgresql_connection, "_IDLE", -1.0)
    monkeypatch.setattr(postgresql_connection, "_PING", 0.5)
    for silent in (False, True, False):
        proxy.strand() if silent else proxy.cut()
        await far.ping()
        session = far.session()
        await session.execute(text("SELECT 1"))
        await session.undo()


async def test_a_cut_inside_a_transaction_is_an_outage(far, proxy):
    """A handler's statement says so itself, and nothing of its transaction is kept."""
    session = far.session()
    await session.execute(text("INSERT INTO things VALUES ('one')"))
    proxy.cut()
    with pytest.raises(DatabaseUnavailable) as caught:
        await session.execute(text("INSERT INTO things VALUES ('two')"))
    assert "geheim" not in str(caught.value)
    await session.undo()
    await work_again(far)
    async with far.begin_read() as connection:
        assert await connection.value("SELECT count(*) FROM things") == 0


async def test_a_server_that_falls_silent_is_an_outage_in_time(far, proxy):
    """Statements, commits and new connections end within their bounds; then work goes on."""
    works = SqlUnitsOfWork(far, Inbox(far), "w1")
    work = works.open("m1", "shop.place")
    await work.session.execute(text("INSERT INTO things VALUES ('one')"))
    proxy.freeze()
    async with asyncio.timeout(60):
        with pytest.raises(DatabaseUnavailable):
            await work.commit([])
        await work.rollback()
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable):
                await far.ping()
    proxy.clear()
    await work_again(far)


async def test_a_statement_of_a_handler_does_not_wait_for_a_silent_server(far, proxy):
    """It is an outage soon after the time that a statement may take; the end of its session waits for nothing then."""
    loop = asyncio.get_running_loop()
    session = far.session()
    await session.execute(text("INSERT INTO things VALUES ('one')"))
    proxy.strand()
    begun = loop.time()
    with pytest.raises(DatabaseUnavailable):
        await session.execute(text("INSERT INTO things VALUES ('two')"))
    await session.undo()
    assert loop.time() - begun < HASTY.statement + postgresql_connection.MARGIN + 3.0
    await work_again(far)


def test_a_silent_server_is_believed_for_less_than_half_a_minute():
    """With what is configured by default."""
    assert Waits().statement + postgresql_connection.MARGIN < 30.0


async def test_whatever_the_driver_says_of_a_connection_that_is_lost_is_an_outage(far):
    """Its own confusion, too, which has no code."""
    with pytest.raises(DatabaseUnavailable, match="another operation"):
        async with far.begin_read() as transaction:
            transaction.connection.terminate()
            raise asyncpg.InternalClientError(
                "cannot switch to state 12; another operation (2) is in progress"
            )
    await far.ping()


async def test_a_server_that_refuses_is_named_without_its_password(far, proxy):
    """No connection is an outage, at connect and later."""
    proxy.refuse()
    proxy.cut()
    async with asyncio.timeout(60):
        with pytest.raises(DatabaseUnavailable, match="127") as caught:
            await far.ping()
        assert "geheim" not in str(caught.value)
        with pytest.raises(DatabaseUnavailable):
            await far.connect(0.2)
    proxy.clear()
    await work_again(far)


async def test_handlers_that_hold_their_transactions_do_not_stop_the_stores(far):
    """However many sessions are open, the stores answer; one handler too many waits, and is told in time."""
    held = [far.session() for _ in range(HASTY.sessions)]
    for session in held:
        await session.execute(text("SELECT 1"))
    await far.ping()
    late = far.session()
    with pytest.raises(DatabaseUnavailable, match="no connection"):
        await late.execute(text("SELECT 1"))
    for session in (*held, late):
        await session.undo()


async def test_a_lock_that_is_held_too_long_is_an_outage(far):
    """Nothing is wrong with the message that meets it."""
    async with far.begin_write() as connection:
        await connection.run("LOCK TABLE things")
        session = far.session()
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            await session.execute(text("INSERT INTO things VALUES ('one')"))
        await session.undo()


async def test_a_wrong_parameter_is_the_handlers_fault(far):
    """What the driver cannot send is no outage: it would be tried for ever."""
    session = far.session()
    with pytest.raises(DBAPIError) as caught:
        await session.execute(text("SELECT CAST(:number AS INTEGER)"), {"number": "seven"})
    assert not isinstance(caught.value, DatabaseUnavailable)
    await session.undo()


async def test_a_read_sees_one_state(far):
    """What others commit meanwhile is not in a transaction that reads."""
    count = "SELECT count(*) FROM things"
    async with far.begin_read() as reading:
        assert await reading.value(count) == 0
        async with far.begin_write() as writing:
            await writing.run("INSERT INTO things VALUES ('one')")
        assert await reading.value(count) == 0


async def test_an_address_that_the_driver_does_not_understand_is_a_configuration_error(tmp_path):
    """No waiting makes it right."""
    database = Database("postgresql://u:geheim@host/db?sslmode=perhaps", base=tmp_path)
    with pytest.raises(ConfigurationError, match=r"database\.url") as caught:
        await database.connect(5.0)
    assert "geheim" not in str(caught.value)
    await database.close()


async def test_the_system_watches_the_line(far):
    """A machine that is gone without a word is noticed in seconds, not in the system's quarter of an hour."""
    async with far.begin_read() as connection:
        line = connection.connection._transport.get_extra_info("socket")
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
