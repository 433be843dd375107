"""Work with mapped classes while the line to PostgreSQL breaks: bounded, told as an outage, and nothing is half done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.unit.state.parcels import parcel
from worker.errors import DatabaseUnavailable
from worker.resources.resource import Resource
from worker.resources.stores import Ordered, Wanted
from worker.state.database import Database
from worker.state.sessions.mapped.store import MappedStore
from worker.state.waits import Waits

pytestmark = [pytest.mark.broker, pytest.mark.fault]

HASTY = Waits(pool=1.0, lock=1.0, statement=2.0, answer=3.0, readers=2, sessions=3)


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]


@pytest.fixture
async def far(connect_far: Callable[..., Awaitable[Database]]) -> Database:
    database = await connect_far(HASTY)
    await database.tables.create([Thing])
    return database


@pytest.fixture
def store(far: Database) -> MappedStore:
    return MappedStore(far)


@pytest.fixture
def things(store: MappedStore) -> Resource:
    return Resource(name="Thing", cls=Thing, path="/things", shape=store.shape(Thing, "id"), store=store)


async def count(store: MappedStore, things: Resource) -> int:
    async with asyncio.timeout(30):
        while True:
            try:
                async with store.work(read_only=True) as work:
                    return (await work.page(things, Wanted(order=(Ordered("id"),)))).total
            except DatabaseUnavailable:
                await asyncio.sleep(0.05)


async def test_a_cut_before_the_commit_is_an_outage_and_nothing_is_stored(store, things, proxy) -> None:
    async with store.work(read_only=False) as work:
        await work.persist(things, Thing(), created=True)
        proxy.cut()
        with pytest.raises(DatabaseUnavailable) as raised:
            await work.persist(things, Thing(), created=True)
    assert "geheim" not in str(raised.value) and not raised.value.unknown
    assert await count(store, things) == 0


async def test_every_request_ends_in_time_when_the_server_is_silent(store, things, proxy) -> None:
    proxy.freeze()
    async with asyncio.timeout(60):
        with pytest.raises(DatabaseUnavailable):
            async with store.work(read_only=True) as work:
                await work.find(things, {"id": 1})
        with pytest.raises(DatabaseUnavailable):
            async with store.work(read_only=False) as work:
                await work.persist(things, Thing(), created=True)
    proxy.clear()
    assert await count(store, things) == 0


async def test_a_commit_without_an_answer_says_that_nobody_knows(store, things, proxy) -> None:
    async with store.work(read_only=False) as work:
        await work.persist(things, Thing(), created=True)
        await work.keep([parcel("m1")])
        settle = work.session.settle

        async def settle_on_a_silent_line() -> None:
            proxy.freeze()
            await settle()

        work.session.settle = settle_on_a_silent_line
        async with asyncio.timeout(60):
            with pytest.raises(DatabaseUnavailable) as raised:
                await work.commit()
    assert raised.value.unknown and "not known" in (raised.value.told or "")
    proxy.clear()
    assert await count(store, things) in {0, 1}


async def test_a_row_that_another_holds_too_long_is_an_outage_in_time(store, things) -> None:
    async with store.work(read_only=False) as work:
        made = await work.persist(things, Thing(), created=True)
        await work.commit()
    async with store.work(read_only=False) as first, store.work(read_only=False) as second:
        await first.find(things, {"id": made.id})
        async with asyncio.timeout(30):
            with pytest.raises(DatabaseUnavailable):
                await second.find(things, {"id": made.id})
        async with store.work(read_only=True) as reader:
            assert await reader.find(things, {"id": made.id}) is not None
