"""``session=``: a message leaves if and only if the application's own transaction commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from tests.unit.wiring.clients.shop import PlaceOrder, Touch, settings, shop
from worker import Client, NotFound, PublishFailed, Sent, UsageError

KINDS = ("AsyncSession", "AsyncConnection", "Session", "Connection", "scoped_session")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.broker)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/worker.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
async def client(url: str, tmp_path: Path) -> AsyncIterator[Client]:
    async with Client(shop(), settings(tmp_path, database=url)) as opened:
        opened.sent = []  # type: ignore[attr-defined]
        transport: Any = opened._desk.service.brokers.transports["here"]
        publish = transport.publish

        async def noted(batch: Any) -> Any:
            outcomes = await publish(batch)
            opened.sent += [outgoing.id for outgoing in batch]  # type: ignore[attr-defined]
            return outcomes

        transport.publish = noted
        yield opened


def loopy(url: str) -> str:
    """The address by a driver with a loop."""
    driver = "sqlite+aiosqlite" if url.startswith("sqlite") else "postgresql+asyncpg"
    return make_url(url).set(drivername=driver).render_as_string(hide_password=False)


def blocking(url: str) -> str:
    """The address by a driver that blocks."""
    driver = "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    return make_url(url).set(drivername=driver).render_as_string(hide_password=False)


async def begin(kind: str, url: str) -> tuple[Any, Any, Any]:
    """A session of a kind; how its transaction is committed, and how everything of it is let go."""
    if kind.startswith("Async"):
        engine = create_async_engine(loopy(url))
        if kind == "AsyncSession":
            session = AsyncSession(engine)
            return session, session.commit, lambda: _close(session.close(), engine.dispose())
        connection = engine.connect()
        await connection.start()
        return connection, connection.commit, lambda: _close(connection.close(), engine.dispose())
    plain = create_engine(blocking(url))
    found: Any = {
        "Session": lambda: Session(plain),
        "Connection": plain.connect,
        "scoped_session": lambda: scoped_session(sessionmaker(plain)),
    }[kind]()

    here = found.registry() if kind == "scoped_session" else found  # of this thread

    async def commit() -> None:
        await asyncio.to_thread(here.commit)

    async def close() -> None:
        found.close()
        plain.dispose()

    return found, commit, close


async def _close(*ends: Any) -> None:
    for end in ends:
        await end


async def until_sent(client: Any, id: str) -> None:
    async with asyncio.timeout(30):
        while id not in client.sent:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", KINDS)
async def test_it_leaves_with_the_commit_and_never_without(kind: str, url: str, client: Any) -> None:
    """Committed: sent by a relay. Rolled back: neither sent nor known. Whichever session or connection it is."""
    session, commit, close = await begin(kind, url)
    try:
        undone = await client.send(PlaceOrder("1"), session=session)
        rolled_back = session.rollback()
        if rolled_back is not None:
            await rolled_back
        done = await client.send(PlaceOrder("2"), session=session, delay=0, key="k")
        assert done.get(Sent) is None
        assert done.key == "k"
        with pytest.raises(NotFound):
            await client.status(done.id)
        assert client.sent == []
        await commit()
        await until_sent(client, done.id)
        assert client.sent == [done.id]
        assert (await client.status(done.id)).status == "accepted"
        with pytest.raises(NotFound):
            await client.status(undone.id)
    finally:
        await close()


async def test_many_leave_together(url: str, client: Any) -> None:
    """``send_many`` keeps all of them in the transaction; the same id twice is one message."""
    session, commit, close = await begin("AsyncSession", url)
    try:
        envelopes = await client.send_many([PlaceOrder(str(n)) for n in range(20)], session=session)
        await client.send(PlaceOrder("0"), id=envelopes[0].id, session=session)
        await commit()
        await until_sent(client, envelopes[-1].id)
        assert sorted(client.sent) == sorted(envelope.id for envelope in envelopes)
    finally:
        await close()


async def test_a_savepoint_takes_its_messages_back(url: str, client: Any) -> None:
    """What was sent inside of a savepoint that is rolled back never leaves; the others do."""
    session, commit, close = await begin("AsyncSession", url)
    try:
        kept = await client.send(PlaceOrder("1"), session=session)
        savepoint = await session.begin_nested()
        await client.send(PlaceOrder("2"), session=session)
        await savepoint.rollback()
        await commit()
        await until_sent(client, kept.id)
        assert client.sent == [kept.id]
    finally:
        await close()


async def test_another_database_is_refused_by_name(url: str, client: Any, tmp_path: Path) -> None:
    """Another file, another kind; nothing is written there, and passwords are not shown."""
    other = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/other.db")
    async with AsyncSession(other) as session:
        with pytest.raises(UsageError, match=r"on another database \(.*other\.db.*database\.url"):
            await client.send(PlaceOrder("1"), session=session)
    await other.dispose()


async def test_what_cannot_be_joined_is_refused(url: str, client: Any) -> None:
    """No session at all, a connection that commits by itself, and a command that is handled at once."""
    with pytest.raises(UsageError, match="a str; expected an AsyncSession"):
        await client.send(PlaceOrder("1"), session="mine")
    engine = create_async_engine(loopy(url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        with pytest.raises(UsageError, match="AUTOCOMMIT"):
            await client.send(PlaceOrder("1"), session=connection)
    await engine.dispose()
    session, _, close = await begin("AsyncSession", url)
    with pytest.raises(UsageError, match=r"Touch is handled at once \(inline\)"):
        await client.send(Touch(), session=session)
    await close()


async def test_another_database_of_the_same_server_is_refused(
    postgres: Any, postgres_url: str, tmp_path: Path
) -> None:
    """Names and addresses prove nothing: a lock of the state must be seen from the session."""
    with postgres.fresh() as other:
        async with Client(shop(), settings(tmp_path, database=postgres_url)) as client:
            async with Client(shop(), settings(tmp_path, database=other)):  # its tables are there
                engine = create_async_engine(loopy(other))
                async with AsyncSession(engine) as session:
                    with pytest.raises(UsageError, match="on another database"):
                        await client.send(PlaceOrder("1"), session=session)
                    assert (await session.execute(text("SELECT count(*) FROM worker_outbox"))).scalar() == 0
                await engine.dispose()


async def test_the_search_path_of_a_session_does_not_count(postgres_url: str, tmp_path: Path) -> None:
    """A tenant's schema in front of the state's: the row is the state's all the same."""
    async with Client(shop(), settings(tmp_path, database=postgres_url)) as client:
        engine = create_async_engine(loopy(postgres_url))
        async with AsyncSession(engine) as session:
            await session.execute(text("CREATE SCHEMA tenant"))
            await session.execute(text("CREATE TABLE tenant.worker_outbox (LIKE public.worker_outbox)"))
            await session.execute(text("SET LOCAL search_path TO tenant"))
            envelope = await client.send(PlaceOrder("1"), session=session)
            assert (await session.execute(text("SELECT count(*) FROM tenant.worker_outbox"))).scalar() == 0
            found = await session.execute(text("SELECT message_id FROM public.worker_outbox"))
            assert found.scalars().all() == [envelope.id]
            await session.rollback()
        await engine.dispose()


async def test_relays_are_woken_at_once(client: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relays that look by themselves only once an hour send what is committed, as they are told."""
    monkeypatch.setattr("worker.runtime.relay.SWEEP", 3600.0)
    session, commit, close = await begin("AsyncSession", url)
    try:
        for number in range(3):
            envelope = await client.send(PlaceOrder(str(number)), session=session)
            await commit()
            await until_sent(client, envelope.id)
    finally:
        await close()


async def test_what_is_too_large_for_its_broker_is_told_before_the_commit(url: str, client: Any) -> None:
    """It is not kept, and the others leave."""
    transport = client._desk.service.brokers.transports["here"]
    session, commit, close = await begin("AsyncSession", url)
    try:
        usual = transport.features
        transport.features = msgspec.structs.replace(usual, max_bytes=50)
        with pytest.raises(PublishFailed, match="the limit is 50") as caught:
            await client.send(PlaceOrder("1"), session=session)
        assert caught.value.refused
        transport.features = usual
        kept = await client.send(PlaceOrder("2"), session=session)
        await commit()
        await until_sent(client, kept.id)
        assert client.sent == [kept.id]
    finally:
        await close()
