"""Shapes of mapped classes: what their columns take, and which classes are refused."""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    deferred,
    mapped_column,
    relationship,
    validates,
)
from sqlalchemy.types import TypeDecorator

from worker.errors import ConfigurationError, Stale
from worker.state.sessions.mapped.shape import MappedShape, mapped_shape


class Base(DeclarativeBase):
    pass


class Colour(enum.Enum):
    RED = "red"


class Money:
    pass


class MoneyType(TypeDecorator[Money]):
    impl = Integer
    cache_ok = True


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    works: Mapped[list[Work]] = relationship(back_populates="author")


class Work(Base):
    __tablename__ = "works"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[Annotated[str, Meta(min_length=1)]] = mapped_column(String(50))
    words: Mapped[int | None] = mapped_column(SmallInteger)
    signed: Mapped[datetime] = mapped_column(server_default=func.now())
    changed: Mapped[datetime | None] = mapped_column(onupdate=func.now())
    shelf: Mapped[str] = mapped_column(server_default="A's")
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    notes: Mapped[str | None] = deferred(mapped_column(Text))
    upper: Mapped[str | None] = mapped_column(Computed("upper(title)"))
    author_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author | None] = relationship(back_populates="works")
    _secret: Mapped[str | None] = mapped_column("secret")


class Plain(Base):
    """Columns without hints."""

    __table_args__ = {"comment": "old style"}
    __tablename__ = "plain"
    code = Column(String(8), primary_key=True)
    small = Column(SmallInteger, nullable=False)
    number = Column(Integer)
    big = Column(BigInteger)
    price = Column(Numeric(6, 2), nullable=False)
    at = Column(DateTime(timezone=True))
    colour = Column(Enum(Colour), nullable=False, default=Colour.RED)
    size = Column(Enum("S", "L", name="sizes"))
    data = Column(LargeBinary)
    key = Column(Uuid)
    items = Column(ARRAY(Integer))


def shape_of(cls: Any, identifier: str = "id", dialect: Any = "postgresql") -> MappedShape:
    return mapped_shape(cls, identifier, dialect)


def test_columns_are_fields_and_relationships_and_private_ones_are_not() -> None:
    assert list(shape_of(Work).fields) == [
        "id", "title", "words", "signed", "changed", "shelf", "tags", "notes", "upper", "author_id"
    ]  # fmt: skip


def test_what_the_database_or_a_default_gives_is_not_required() -> None:
    assert shape_of(Work).required == {"title"}
    assert shape_of(Author).required == {"name"}
    assert shape_of(Plain, "code").required == {"code", "small", "price"}


def test_columns_say_what_they_take() -> None:
    fields = shape_of(Plain, "code").fields
    assert fields["code"] == Annotated[str, Meta(max_length=8)]
    assert fields["small"] == Annotated[int, Meta(ge=-(2**15), le=2**15 - 1)]
    assert fields["number"] == Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | None
    assert fields["big"] == Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None
    assert fields["at"] == Annotated[datetime, Meta(tz=True)] | None
    assert (fields["price"], fields["colour"], fields["data"]) == (Decimal, Colour, bytes | None)
    assert (fields["key"], fields["items"]) == (uuid.UUID | None, list[int] | None)
    schema = msgspec.json.schema(shape_of(Plain, "code").struct)
    assert schema["$defs"]["Plain"]["properties"]["size"]["anyOf"][0]["enum"] == ["L", "S"]


def test_numbers_on_sqlite_have_64_bits() -> None:
    fields = shape_of(Plain, "code", "sqlite").fields
    assert fields["small"] == Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


def test_limits_of_the_hint_and_of_the_column_both_hold() -> None:
    shape = shape_of(Work)
    for title in ("", "x" * 51):
        faults = shape.check(shape.make({"title": title}))
        assert [fault.pointer for fault in faults] == ["/title"]
    assert list(shape.check(shape.make({"title": "x" * 50}))) == []


def test_decimals_have_as_many_digits_as_their_column() -> None:
    shape = shape_of(Plain, "code")
    for price, right in (("9999.99", True), ("-9999", True), ("10000", False), ("0", True), ("1e4", False)):
        obj = shape.make({"code": "c", "small": 1, "price": Decimal(price)})
        assert [fault.pointer for fault in shape.check(obj)] == ([] if right else ["/price"]), price


def test_an_object_that_is_replaced_has_the_defaults_of_its_columns() -> None:
    shape = shape_of(Work)
    obj = shape.make(
        {"id": 7, "title": "a", "words": 3, "shelf": "B", "tags": ["x"], "changed": datetime(2026, 1, 1)}
    )
    shape.replace(obj, {"id": 7, "title": "b"})
    assert (obj.id, obj.title, obj.words, obj.tags) == (7, "b", None, [])
    assert str(obj.shelf) == "'A''s'" and "now" in str(obj.signed).lower()
    assert obj.changed == datetime(2026, 1, 1), "the mapper changes it at the update"
    assert list(shape.check(obj)) == [], "what SQL fills in has nothing to be checked"


@pytest.mark.parametrize(
    ("dialect", "values", "refused"),
    [
        ("postgresql", {"amount": Decimal("1e131071")}, []),
        ("postgresql", {"amount": Decimal("1e131072")}, ["/amount"]),
        ("postgresql", {"amount": Decimal("1e-16383")}, []),
        ("postgresql", {"amount": Decimal("1e-16384")}, ["/amount"]),
        ("sqlite", {"amount": Decimal("1e308")}, []),
        ("sqlite", {"amount": Decimal("1e309")}, ["/amount"]),
        ("sqlite", {"amount": Decimal("1e-309")}, []),
        ("postgresql", {"span": timedelta.max}, []),
        ("sqlite", {"span": timedelta.max}, ["/span"]),
        ("sqlite", {"span": timedelta.min}, ["/span"]),
        ("sqlite", {"span": timedelta(days=-1)}, []),
        ("sqlite", {"word": "c"}, ["/word"]),
        ("postgresql", {"word": "a"}, []),
    ],
)
def test_values_that_a_database_cannot_hold_are_named(
    dialect: Any, values: dict[str, Any], refused: list[str]
) -> None:
    """PostgreSQL's driver would send some of these decimals as other numbers, and SQLite keep them as infinite."""

    class Own(DeclarativeBase):
        pass

    class Measure(Own):
        __tablename__ = "measures"
        id: Mapped[int] = mapped_column(primary_key=True)
        amount: Mapped[Decimal | None] = mapped_column(Numeric())
        span: Mapped[timedelta | None] = mapped_column(Interval)
        word: Mapped[str | None] = mapped_column(Enum("a", "b", name="word"))

    shape = mapped_shape(Measure, "id", dialect)
    assert [fault.pointer for fault in shape.check(shape.make(values))] == refused


def test_what_is_computed_cannot_be_set() -> None:
    with pytest.raises(ValueError, match="upper is computed"):
        shape_of(Work).make({"title": "a", "upper": "A"})


def test_a_class_without_an_init_for_all_is_made_by_its_own() -> None:
    class Data(MappedAsDataclass, DeclarativeBase):
        pass

    class Point(Data):
        __tablename__ = "points"
        id: Mapped[int] = mapped_column(primary_key=True, init=False)
        x: Mapped[int]
        label: Mapped[str | None]
        note: Mapped[str] = mapped_column(default="n", init=False)

    shape = shape_of(Point)
    obj = shape.make({"id": 3, "x": 1})
    assert (obj.id, obj.x, obj.label, obj.note) == (3, 1, None, "n")


def test_rules_of_the_class_hold() -> None:
    class Person(Base):
        __tablename__ = "people"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

        @validates("email")
        def _has_at(self, _key: str, value: str) -> str:
            if "@" not in value:
                raise ValueError("no address")
            return value

    with pytest.raises(ValueError, match="no address"):
        shape_of(Person).make({"email": "x"})


def test_a_version_counts_by_itself_and_refuses_others() -> None:
    class Counted(Base):
        __tablename__ = "counted"
        id: Mapped[int] = mapped_column(primary_key=True)
        n: Mapped[int]
        version: Mapped[int] = mapped_column()
        __mapper_args__ = {"version_id_col": version}

    shape = shape_of(Counted)
    assert shape.version == "version" and shape.required == {"n"}
    obj = shape.make({"id": 1, "n": 1})
    obj.version = 4
    shape.replace(obj, {"n": 2})
    assert (obj.n, obj.version) == (2, 4)
    assert shape.fill(obj, {"n": 3, "version": 4}).n == 3
    with pytest.raises(Stale, match="version is 4 by now, not 3"):
        shape.fill(obj, {"n": 5, "version": 3})


def test_a_class_whose_objects_cannot_be_told_apart_is_refused() -> None:
    class Pair(Base):
        __tablename__ = "pairs"
        left: Mapped[int] = mapped_column(primary_key=True)
        right: Mapped[int] = mapped_column(primary_key=True)
        slug: Mapped[str] = mapped_column(unique=True)

    with pytest.raises(
        ConfigurationError, match=r"Pair: identifier='left': .*primary key is \(left, right\)"
    ):
        shape_of(Pair, "left")
    with pytest.raises(ConfigurationError, match=r"identifier='id': .*there are: left, right, slug"):
        shape_of(Pair)
    assert shape_of(Pair, "slug").required == {"left", "right", "slug"}


def test_a_key_of_another_name_is_told() -> None:
    class Shop(Base):
        __tablename__ = "shops"
        number: Mapped[int] = mapped_column("no", primary_key=True)

    with pytest.raises(ConfigurationError) as told:
        shape_of(Shop)
    assert told.value.faults[0].endswith(
        "Shop: identifier='id': expected the name of a column's attribute; there are: number; "
        "its primary key is identifier='number'"
    )


def test_a_column_whose_values_json_cannot_hold_is_refused() -> None:
    class Bill(Base):
        __tablename__ = "bills"
        id: Mapped[int] = mapped_column(primary_key=True)
        total: Mapped[Money] = mapped_column(MoneyType)

    with pytest.raises(ConfigurationError, match="Bill: total: a Money cannot be read from JSON"):
        shape_of(Bill)


def test_other_times_come_by_their_columns_types() -> None:
    class Times(Base):
        __tablename__ = "times"
        id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
        day: Mapped[date]
        hour: Mapped[time]
        long: Mapped[timedelta]
        ready: Mapped[bool] = mapped_column(server_default=text("true"))

    fields = shape_of(Times).fields
    assert fields["day"] == date and fields["long"] == timedelta and fields["ready"] is bool
    assert fields["hour"] == Annotated[time, Meta(tz=False)]
    with pytest.raises(ValueError, match="id is computed"):
        shape_of(Times).make({"id": 3})
