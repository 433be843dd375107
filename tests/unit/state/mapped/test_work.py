"""Work with mapped classes: one transaction with what is sent, refusals by name, and tables."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from msgspec import Meta
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from tests.unit.state.parcels import parcel
from worker.errors import Guarded, InvalidMessage, Taken
from worker.resources.resource import Resource
from worker.resources.stores import Filtered, Ordered, Wanted
from worker.state.database import Database
from worker.state.outbox import Outbox
from worker.state.sessions.mapped.store import MappedStore
from worker.state.sessions.mapped.work import MappedWork


class Base(DeclarativeBase):
    pass


class Shelf(Base):
    __tablename__ = "shelves"
    __table_args__ = (
        CheckConstraint("places > 0", name="has_places"),
        UniqueConstraint("room", "row", name="one_there"),
        Index("by_lower", func.lower(text("label")), unique=True),
    )
    code: Mapped[str] = mapped_column(String(8), primary_key=True)
    places: Mapped[int] = mapped_column(default=1)
    room: Mapped[int | None]
    row: Mapped[int | None]
    label: Mapped[str | None]
    items: Mapped[list[Item]] = relationship(back_populates="shelf", lazy="selectin", passive_deletes="all")


class Item(Base):
    __tablename__ = "items"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    slug: Mapped[Annotated[str, Meta(min_length=1)]] = mapped_column(unique=True)
    shelf_code: Mapped[str | None] = mapped_column(ForeignKey("shelves.code"))
    shelf: Mapped[Shelf | None] = relationship(back_populates="items", lazy="joined")


class Room(Base):
    __tablename__ = "rooms"
    id: Mapped[int] = mapped_column(primary_key=True)
    chairs: Mapped[list[Chair]] = relationship()


class Chair(Base):
    __tablename__ = "chairs"
    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))


class Stores:
    def __init__(self, database: Database) -> None:
        self.committed = 0
        self.store = MappedStore(database, self._count)
        self.shelf = self.of(Shelf, "code")
        self.item = self.of(Item, "id")
        self.by_slug = self.of(Item, "slug")

    def _count(self) -> None:
        self.committed += 1

    def of(self, cls: type[Any], identifier: str) -> Resource:
        shape = self.store.shape(cls, identifier)
        return Resource(
            name=cls.__name__, cls=cls, path="/x", identifier=identifier, shape=shape, store=self.store
        )

    @asynccontextmanager
    async def work(self, *, read_only: bool = False) -> AsyncIterator[MappedWork]:
        async with self.store.work(read_only=read_only) as work:
            yield work

    async def put(self, resource: Resource, **values: Any) -> Any:
        async with self.work() as work:
            made = await work.persist(resource, resource.shape.make(values), created=True)
            await work.commit()
            return made

    async def count(self, resource: Resource) -> int:
        async with self.work(read_only=True) as work:
            return (await work.page(resource, Wanted(order=(Ordered(resource.identifier),)))).total


@pytest.fixture
async def stores(database: Database) -> Stores:
    await database.tables.create([Shelf, Item])
    return Stores(database)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


async def waiting(outbox: Outbox) -> list[str]:
    return [row.outgoing.id for row in await outbox.claim("w", 10, 30.0)]


async def test_what_is_sent_leaves_with_the_commit(stores: Stores, outbox: Outbox) -> None:
    async with stores.work() as work:
        await work.persist(stores.shelf, Shelf(code="a"), created=True)
        await work.keep([parcel("m1"), parcel("m2")])
        await work.commit()
    assert await waiting(outbox) == ["m1", "m2"]
    assert (await stores.count(stores.shelf), stores.committed) == (1, 1)


async def test_what_is_sent_without_a_change_leaves_with_the_commit_too(
    stores: Stores, outbox: Outbox
) -> None:
    async with stores.work() as work:
        await work.keep([parcel("m1")])
        await work.commit()
    assert await waiting(outbox) == ["m1"]


async def test_without_a_commit_nothing_is_kept(stores: Stores, outbox: Outbox) -> None:
    async with stores.work() as work:
        await work.persist(stores.shelf, Shelf(code="a"), created=True)
        await work.keep([parcel("m1")])
    with pytest.raises(RuntimeError):
        async with stores.work() as work:
            await work.persist(stores.shelf, Shelf(code="b"), created=True)
            raise RuntimeError
    assert await waiting(outbox) == []
    assert (await stores.count(stores.shelf), stores.committed) == (0, 0)


async def test_who_goes_on_after_a_refusal_commits_nothing(stores: Stores, outbox: Outbox) -> None:
    """The refusal is told again: nothing of the transaction is left."""
    await stores.put(stores.shelf, code="a")
    async with stores.work() as work:
        await work.persist(stores.shelf, Shelf(code="b"), created=True)
        await work.keep([parcel("m1")])
        with pytest.raises(Taken):
            await work.persist(stores.shelf, Shelf(code="a"), created=True)
        with pytest.raises(Taken):
            await work.commit()
    assert await waiting(outbox) == []
    assert await stores.count(stores.shelf) == 1


async def test_a_processor_goes_on_after_a_refusal_in_a_savepoint(stores: Stores) -> None:
    await stores.put(stores.shelf, code="a")
    async with stores.work() as work:
        session = work.session
        with pytest.raises(Exception, match=r"(?i)unique"):
            async with session.begin_nested():
                session.add(Shelf(code="a"))
                await session.flush()
        await work.persist(stores.shelf, Shelf(code="b"), created=True)
        await work.commit()
    assert await stores.count(stores.shelf) == 2


async def test_the_session_s_own_writes_are_in_the_same_commit(stores: Stores) -> None:
    async with stores.work() as work:
        work.session.add(Shelf(code="beside"))
        await work.persist(stores.shelf, Shelf(code="a"), created=True)
        await work.commit()
    assert await stores.count(stores.shelf) == 2
    with pytest.raises(Taken):  # written by the commit alone, and refused by name all the same
        async with stores.work() as work:
            await work.find(stores.shelf, {"code": "none"})
            work.session.add(Shelf(code="beside"))
            await work.commit()


async def test_after_a_commit_the_work_goes_on_in_another_transaction(stores: Stores) -> None:
    async with stores.work() as work:
        made = await work.persist(stores.shelf, Shelf(code="a"), created=True)
        await work.commit()
        assert (made.code, made.places) == ("a", 1)
        assert await work.find(stores.shelf, {"code": "a"}) is not None
        await work.persist(stores.shelf, Shelf(code="b"), created=True)
    assert await stores.count(stores.shelf) == 1


async def test_work_that_only_reads_cannot_write(stores: Stores) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        async with stores.work(read_only=True) as work:
            await work.persist(stores.shelf, Shelf(code="a"), created=True)
    assert await stores.count(stores.shelf) == 0


async def test_several_columns_that_are_unique_together_are_named(stores: Stores) -> None:
    await stores.put(stores.shelf, code="a", room=1, row=2, label="Top")
    with pytest.raises(Taken, match="room and row") as raised:
        await stores.put(stores.shelf, code="b", room=1, row=2)
    assert raised.value.field == "room"
    with pytest.raises(Taken) as raised:
        await stores.put(stores.shelf, code="c", label="TOP")
    assert raised.value.field in {"label", None}, "SQLite names the index of an expression only"


async def test_a_reference_to_nothing_is_a_fault_of_its_field(stores: Stores) -> None:
    with pytest.raises(InvalidMessage) as raised:
        await stores.put(stores.item, slug="x", shelf_code="none")
    assert [fault.pointer for fault in raised.value.faults] in (["/shelf_code"], [""])


async def test_what_others_refer_to_is_not_removed(stores: Stores) -> None:
    await stores.put(stores.shelf, code="a")
    await stores.put(stores.item, slug="x", shelf_code="a")
    with pytest.raises(Guarded, match="refer to it"):
        async with stores.work() as work:
            await work.remove(stores.shelf, await work.find(stores.shelf, {"code": "a"}))
            await work.commit()
    assert await stores.count(stores.shelf) == 1


async def test_what_others_cannot_be_without_is_not_removed(database: Database) -> None:
    await database.tables.create([Room, Chair])
    stores = Stores(database)
    room, chair = stores.of(Room, "id"), stores.of(Chair, "id")
    made = await stores.put(room)
    await stores.put(chair, room_id=made.id)
    with pytest.raises(Guarded, match="Room: other objects refer to it"):
        async with stores.work() as work:
            await work.remove(room, await work.find(room, {"id": made.id}))
            await work.commit()
    assert await stores.count(room) == 1


async def test_a_rule_of_the_database_is_told(stores: Stores) -> None:
    with pytest.raises(InvalidMessage, match="has_places"):
        await stores.put(stores.shelf, code="a", places=0)


async def test_a_missing_value_is_named(stores: Stores) -> None:
    await stores.put(stores.shelf, code="a")
    with pytest.raises(InvalidMessage) as raised:
        async with stores.work() as work:
            found = await work.find(stores.shelf, {"code": "a"})
            found.places = None
            await work.persist(stores.shelf, found, created=False)
    assert [fault.pointer for fault in raised.value.faults] == ["/places"]


async def test_objects_are_found_by_keys_of_other_kinds(stores: Stores) -> None:
    made = await stores.put(stores.item, slug="x")
    async with stores.work(read_only=True) as work:
        assert (await work.find(stores.item, {"id": made.id})).slug == "x"
        assert (await work.find(stores.by_slug, {"slug": "x"})).id == made.id
        assert await work.find(stores.item, {"id": uuid.uuid4()}) is None


async def test_relationships_are_loaded_as_the_class_says(stores: Stores) -> None:
    await stores.put(stores.shelf, code="a")
    for slug in ("x", "y"):
        await stores.put(stores.item, slug=slug, shelf_code="a")
    async with stores.work() as work:
        shelf = await work.find(stores.shelf, {"code": "a"})
        assert [item.slug for item in shelf.items] == ["x", "y"]
        item = await work.find(stores.by_slug, {"slug": "x"})
        assert item.shelf is shelf
    async with stores.work(read_only=True) as work:
        page = await work.page(stores.item, Wanted(order=(Ordered("slug"), Ordered("id")), limit=1))
        assert (page.total, page.items[0].shelf.code) == (2, "a")


async def test_an_object_that_was_read_elsewhere_is_joined_with_what_is_stored(stores: Stores) -> None:
    await stores.put(stores.shelf, code="a", room=1)
    async with stores.work(read_only=True) as work:
        found = await work.find(stores.shelf, {"code": "a"})
    found.places = 5
    async with stores.work() as work:
        await work.persist(stores.shelf, found, created=False)
        await work.commit()
    async with stores.work(read_only=True) as work:
        again = await work.find(stores.shelf, {"code": "a"})
    assert (again.places, again.room) == (5, 1)


async def test_what_is_no_object_of_a_table_is_returned_unchanged(stores: Stores) -> None:
    async with stores.work() as work:
        assert await work.persist(stores.shelf, {"code": "a"}, created=True) == {"code": "a"}
        await work.remove(stores.shelf, "nothing")
        await work.commit()


async def test_nobody_changes_what_is_read_to_be_changed(stores: Stores) -> None:
    """Two that add to what they have read: the second waits, and reads what the first has written."""
    await stores.put(stores.shelf, code="a")

    async def add() -> None:
        async with stores.work() as work:
            found = await work.find(stores.shelf, {"code": "a"})
            found.places += 1
            await work.persist(stores.shelf, found, created=False)
            await work.commit()

    await asyncio.gather(*(add() for _ in range(8)))
    async with stores.work(read_only=True) as work:
        assert (await work.find(stores.shelf, {"code": "a"})).places == 9


async def test_a_filter_is_never_sql(stores: Stores) -> None:
    await stores.put(stores.shelf, code="a", label="x")
    for value in ("' OR 1=1 --", "x'; DROP TABLE shelves; --", "x\\"):
        wanted = Wanted(conditions=(Filtered("label", "eq", value),), order=(Ordered("code"),))
        async with stores.work(read_only=True) as work:
            assert (await work.page(stores.shelf, wanted)).total == 0
    assert await stores.count(stores.shelf) == 1


async def test_missing_tables_are_created_once_and_never_altered(database: Database) -> None:
    assert sorted(await database.tables.missing([Shelf, Item])) == ["items", "shelves"]
    async with database.begin_write() as transaction:
        await transaction.run("CREATE TABLE shelves (code VARCHAR(8) PRIMARY KEY)")
    assert await database.tables.missing([Shelf, Item]) == ["items"]
    await asyncio.gather(*(database.tables.create([Shelf, Item]) for _ in range(3)))
    assert await database.tables.missing([Shelf, Item]) == []
    lacking = await database.tables.missing_columns([Shelf, Item])
    assert "shelves.label" in lacking and "shelves.code" not in lacking
    assert not [name for name in lacking if name.startswith("items.")], (
        "of a table that was created all are there"
    )
    async with database.begin_write() as transaction:
        await transaction.run("INSERT INTO shelves VALUES ('one')")
