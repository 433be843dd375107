"""Documents: which classes can be kept so, and what becomes of what is stored otherwise."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import attrs
import msgspec
import pytest
from msgspec import Meta

from worker.errors import ConfigurationError, InvalidMessage, Taken, WorkerError
from worker.mongo.connection import Connection, opened_documents
from worker.mongo.shape import DocumentShape, document_shape
from worker.mongo.store import DocumentStore
from worker.resources.documents import Documents
from worker.resources.resource import Resource
from worker.resources.stores import Ordered, Page, Wanted


def shape_of(cls: Any, identifier: str = "id", version: str | None = None) -> DocumentShape:
    return document_shape(cls, identifier, version, lambda: "0190a5f0-0000-7000-8000-000000000001")


class Note(msgspec.Struct, kw_only=True, frozen=True, rename="camel"):
    id: uuid.UUID
    long_text: str
    day: dt.date | None = None
    hour: dt.time | None = None
    span: dt.timedelta | None = None
    raw: bytes = b""
    local: Annotated[dt.datetime, Meta(tz=False)] | None = None
    parts: list[Decimal] = []
    count: int = 0


@attrs.define
class Attrs:
    name: str
    id: str = ""


@dataclass
class Data:
    name: str
    id: str | None = None


class Counts(msgspec.Struct):
    id: str
    plain: int
    maybe: int | None = None
    several: list[int] = []
    few: Annotated[int, Meta(ge=1, le=5)] = 1


def test_whole_numbers_are_told_with_the_bounds_of_those_in_documents() -> None:
    _, told = msgspec.json.schema_components([shape_of(Counts).struct])
    fields = told["Counts"]["properties"]
    bits = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
    assert fields["plain"] == bits
    assert fields["maybe"]["anyOf"] == [bits, {"type": "null"}]
    assert fields["several"]["items"] == bits
    assert (fields["few"]["minimum"], fields["few"]["maximum"]) == (1, 5)


def test_an_identifier_that_the_store_makes_is_not_required() -> None:
    assert shape_of(Note).required == {"long_text"}
    assert shape_of(Attrs).required == {"name"} == shape_of(Data).required
    assert shape_of(Note).make({"long_text": "x"}).id.version == 7
    assert shape_of(Attrs).make({"name": "n"}).id.startswith("0190a5f0")
    assert shape_of(Data).make({"name": "n", "id": "given"}).id == "given"


def test_an_identifier_of_another_type_has_to_be_given() -> None:
    class Counted(msgspec.Struct):
        id: int

    assert shape_of(Counted).required == {"id"}


def test_a_version_is_not_required_and_has_to_be_a_number() -> None:
    class Versioned(msgspec.Struct, kw_only=True):
        id: str
        version: int

    shape = shape_of(Versioned, version="version")
    assert shape.required == frozenset() and shape.make({}).version == 1
    with pytest.raises(ConfigurationError, match="version='id': expected a field of whole numbers"):
        shape_of(Versioned, version="id")
    with pytest.raises(ConfigurationError, match="version='nope': expected the name of a field"):
        shape_of(Versioned, version="nope")


def test_classes_that_cannot_be_documents_are_refused() -> None:
    class Dotted(msgspec.Struct, rename={"a": "a.b", "c": "$c"}):
        id: str
        a: int
        c: int

    with pytest.raises(
        ConfigurationError, match=r"Dotted: fields that MongoDB cannot name so: 'a\.b', '\$c'"
    ):
        shape_of(Dotted)
    with pytest.raises(
        ConfigurationError, match="identifier='key': expected the name of a field; there are: id, a, c"
    ):
        shape_of(Dotted, "key")
    with pytest.raises(ConfigurationError, match="expected a msgspec Struct"):
        shape_of(int)


@pytest.fixture
async def connection(mongo_url: str) -> AsyncIterator[Connection]:
    async with opened_documents(mongo_url, 10.0) as connection:
        yield connection


def notes_in(connection: Connection, cls: Any = Note) -> Resource:
    async def keep(_parcels: Any) -> None: ...

    store = DocumentStore(connection, Documents("notes"), keep)
    return Resource(name="Note", cls=cls, path="/notes", shape=store.shape(cls, "id"), store=store)


async def page(notes: Resource) -> Page:
    assert notes.store is not None
    async with notes.store.work(read_only=True) as work:
        return await work.page(notes, Wanted(order=(Ordered("id"),)))


async def test_every_type_comes_back_and_names_are_those_of_json(connection: Connection) -> None:
    notes = notes_in(connection)
    values = {
        "long_text": "x",
        "day": dt.date(2026, 11, 30),
        "hour": dt.time(12, 30),
        "span": dt.timedelta(seconds=90),
        "raw": b"\0\xff",
        "local": dt.datetime(2026, 11, 30, 12, 0, 0, 5000),
        "parts": [Decimal("1.10"), Decimal("-0.001")],
        "count": 2**62,
    }
    assert notes.store is not None
    async with notes.store.work(read_only=False) as work:
        made = await work.persist(notes, notes.shape.make(values), created=True)
        found = await work.find(notes, {"id": made.id})
    assert found == made
    assert {name: getattr(found, name) for name in values} == values
    stored = await connection.database.notes.find_one()
    assert stored is not None
    assert set(stored) == {"_id", "longText", "day", "hour", "span", "raw", "local", "parts", "count"}


async def test_microseconds_are_answered_as_they_are_kept(connection: Connection) -> None:
    notes = notes_in(connection)
    assert notes.store is not None
    async with notes.store.work(read_only=False) as work:
        obj = notes.shape.make({"long_text": "x", "local": dt.datetime(2026, 1, 1, microsecond=1999)})
        made = await work.persist(notes, obj, created=True)
        assert made.local.microsecond == 1000
        assert await work.find(notes, {"id": made.id}) == made


async def test_members_that_the_class_does_not_have_stay(connection: Connection) -> None:
    notes = notes_in(connection)
    id = uuid.uuid4()
    await connection.database.notes.insert_one({"_id": id, "longText": "x", "other": {"a": 1}, "count": 5.0})
    assert notes.store is not None
    async with notes.store.work(read_only=False) as work:
        found = await work.find(notes, {"id": id})
        assert (found.count, type(found.count)) == (5, int), "a shell writes whole numbers as doubles"
        await work.persist(notes, notes.shape.fill(found, {"long_text": "y"}), created=False)
    stored = await connection.database.notes.find_one()
    assert stored == {"_id": id, "longText": "y", "other": {"a": 1}} | {
        key: stored[key] for key in stored if key not in {"_id", "longText", "other"}
    }


async def test_what_is_unset_is_not_in_the_document(connection: Connection) -> None:
    class Sparse(msgspec.Struct, kw_only=True):
        id: str
        size: Annotated[int, Meta(ge=1)] | msgspec.UnsetType = msgspec.UNSET
        name: str = ""

    resource = notes_in(connection, Sparse)
    shape = resource.shape
    obj = shape.make({"id": "1", "size": 2})
    assert list(shape.check(shape.make({"id": "2"}))) == []
    assert [fault.pointer for fault in shape.check(shape.make({"id": "2", "size": 0}))] == ["/size"]
    assert resource.store is not None
    async with resource.store.work(read_only=False) as work:
        await work.persist(resource, obj, created=True)
        found = await work.find(resource, {"id": "1"})
        await work.persist(resource, shape.replace(found, {"name": "x"}), created=False)
    assert await connection.database.notes.find_one() == {"_id": "1", "name": "x"}


class Loose(msgspec.Struct, kw_only=True):
    id: str
    more: Any = None


@pytest.mark.parametrize("key", [b"k", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), uuid.UUID(int=1)], ids=repr)
@pytest.mark.parametrize("deep", [False, True])
async def test_keys_that_are_no_texts_are_told(connection: Connection, key: Any, deep: bool) -> None:
    """As MessagePack may have them."""
    resource = notes_in(connection, Loose)
    obj = resource.shape.make({"id": "1", "more": [{"a": {key: 1}}] if deep else {key: 1}})
    assert resource.store is not None
    async with resource.store.work(read_only=False) as work:
        with pytest.raises(InvalidMessage) as raised:
            await work.persist(resource, obj, created=True)
    assert "more: expected texts as the names of members" in raised.value.faults[0].message


async def test_a_document_that_does_not_fit_is_told_by_its_id(connection: Connection) -> None:
    notes = notes_in(connection)
    id = uuid.uuid4()
    await connection.database.notes.insert_one({"_id": id, "longText": 5})
    with pytest.raises(WorkerError, match=rf"notes .*{id}.* is no Note: .*[Ee]xpected `str`"):
        await page(notes)


async def test_a_taken_value_of_several_fields_is_named(connection: Connection) -> None:
    notes = notes_in(connection)
    await connection.database.notes.create_index([("longText", 1), ("count", 1)], unique=True)
    assert notes.store is not None
    async with notes.store.work(read_only=False) as work:
        await work.persist(notes, notes.shape.make({"long_text": "x"}), created=True)
        with pytest.raises(Taken) as raised:
            await work.persist(notes, notes.shape.make({"long_text": "x"}), created=True)
    assert raised.value.field == "long_text"


async def test_what_is_no_object_of_the_class_is_returned_unchanged(connection: Connection) -> None:
    notes = notes_in(connection)
    assert notes.store is not None
    async with notes.store.work(read_only=False) as work:
        assert await work.persist(notes, {"a": 1}, created=True) == {"a": 1}
        await work.remove(notes, None)
    assert (await page(notes)).total == 0
