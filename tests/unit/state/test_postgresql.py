"""The state on PostgreSQL while the line to it breaks: outages are named, bounded, and over by themselves."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from worker.errors import ConfigurationError, DatabaseUnavailable
from worker.state import postgresql_connection
from worker.state.database import Database
from worker.state.inbox import Inbox
from worker.state.outbox import Outbox
from worker.state.unit_of_work import SqlUnitsOfWork
from worker.state.waits import Waits
from worker.state.workers import Workers

pytestmark = [pytest.mark.broker, pytest.mark.fault]

HASTY = Waits(pool=1.0, lock=1.0, statement=2.0, answer=4.0, readers=2, sessions=2)


@pytest.fixture
async def far(connect_far: Callable[..., Awaitable[Database]]) -> Database:
    """At the other end of a line that can be broken."""
    database = await connect_far(HASTY)
    async with database.begin_write() as connection:
        await connection.run("CREATE TABLE things (name TEXT)")
    return database


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
    assert loop.time() - begun < HASTY.statement + postgresql_connection.MARGIN + 20.0
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


async def test_a_pooler_in_between_is_told(far, monkeypatch):
    """PgBouncer knows no settings of a session: the error says what answers there, and what to name instead."""

    async def connect(*_args: object, **_options: object) -> None:
        raise asyncpg.ProtocolViolationError("unsupported startup parameter: lock_timeout")

    monkeypatch.setattr(asyncpg, "connect", connect)
    await far.close()
    with pytest.raises(DatabaseUnavailable, match=r"PgBouncer.*expected the address of the server itself"):
        await far.connect(0.2)


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


@pytest.fixture
async def limited(postgres_url, tmp_path):
    """Opens the database as a role of few rights, or read-only; gives the role's name, too."""
    owner = await asyncpg.connect(postgres_url)
    role = f"few_{uuid.uuid4().hex[:12]}"
    await owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    await owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    opened = []

    async def open_one(*, as_role=False, read_only=False):
        parts = urlsplit(postgres_url)
        netloc = f"{role}:x@{parts.netloc.rpartition('@')[2]}" if as_role else parts.netloc
        options = "options=-c%20default_transaction_read_only%3Don" if read_only else parts.query
        url = urlunsplit(parts._replace(netloc=netloc, query=options))
        database = Database(url, base=tmp_path, application="shop")
        opened.append(database)
        await database.connect(5.0)
        return database

    yield open_one, owner, role
    for database in opened:
        await database.close()
    await owner.execute(f"DROP OWNED BY {role}")
    await owner.execute(f"DROP ROLE {role}")
    await owner.close()


async def test_a_database_that_is_read_only_is_said_to_be(limited):
    """What writes is told so at its start, and what it asks later is an outage; what reads may go on."""
    connect, _, _ = limited
    await (await connect()).setup()
    standby = await connect(read_only=True)
    assert await standby.missing() == []
    for writing in (standby.prove_writable(), Outbox(standby).remove([1]), Workers(standby).remove("w")):
        with pytest.raises(DatabaseUnavailable, match=r"read-only.*expected the primary"):
            await writing
    session = standby.session()
    with pytest.raises(DatabaseUnavailable, match="read-only"):
        await session.execute(text("CREATE TABLE one (id int)"))
    await session.undo()
    reading = standby.session(read_only=True)
    with pytest.raises(DBAPIError, match="read-only"):  # a query that writes: no outage, but wrong
        await reading.execute(text("CREATE TABLE one (id int)"))
    await reading.undo()


async def test_a_role_that_may_not_create_tables_is_told_what_to_grant(limited):
    """Role, right, object and the statement that gives it; with that it works."""
    connect, owner, role = limited
    few = await connect(as_role=True)
    with pytest.raises(ConfigurationError) as caught:
        await few.setup()
    told = str(caught.value)
    for part in (role, "permission denied for schema public", "0001_initial", "worker setup"):
        assert part in told
    assert "sqlalchemy" not in told.lower()
    grant = next(one for one in told.split(";") if "GRANT USAGE, CREATE ON SCHEMA" in one)
    await owner.execute(grant.partition(": ")[2])
    await few.setup()


async def test_a_role_that_may_not_write_is_an_outage(limited):
    """No message is charged for it: it is a right that was taken away, or not given yet."""
    connect, _, _ = limited
    await (await connect()).setup()
    few = await connect(as_role=True)
    with pytest.raises(
        DatabaseUnavailable, match=r"permission denied for table worker_\w+: expected a role with SELECT"
    ):
        await Outbox(few).remove([1])


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
