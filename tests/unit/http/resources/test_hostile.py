"""No request of a resource is an internal error, whatever is in its path, query string, headers and body."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta
from sqlalchemy import JSON, DateTime, Enum, Interval, Numeric
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, Delete, Get, GetCollection, Patch, Post, Put

BODIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"1",
    b'"x"',
    b"{",
    b'{"text":1}',
    b'{"text":"\\u0000"}',
    b'{"text":"a","n":1e400}',
    b'{"text":"a","n":99999999999999999999}',
    b'{"text":"a","n":9223372036854775808}',
    b'{"text":"a","f":1e308}',
    b'{"text":"a","f":-0.0}',
    b'{"text":"a","at":"9999-99-99"}',
    b'{"text":"a","at":"0001-01-01T00:00:00+23:59"}',
    b'{"text":"a","id":99999999999999999999}',
    b'{"text":"a","id":"\\u0000"}',
    b'{"text":"a","id":null}',
    b'{"text":null}',
    b'{"text":"\\ud800"}',
    b"\xff\xfe",
    b'{"text":"a","inner":{"a":null}}',
    b'{"inner":{"a":{"b":null}}}',
    b'{"text":"a","text":"b"}',
    b'{"":1}',
    b'{"text":"a","__class__":1}',
    b'{"_sa_instance_state":1,"text":"a"}',
    b"[" * 2000,
    b'{"inner":' + b'{"a":' * 3000 + b"1" + b"}" * 3001,
    b'{"tags":[1.5]}',
    b'{"id":{}}',
    b'{"@id":1,"text":"z"}',
    b'{"text":"a","zoned":"0001-01-01T00:00:00+10:00"}',
    b'{"text":"a","zoned":"9999-12-31T23:59:59-10:00"}',
    b'{"text":"a","span":"P999999999D"}',
    b'{"text":"a","span":"-P999999999D"}',
    b'{"text":"a","word":"c"}',
    b'{"text":"a","word":"\\u0000"}',
    b'{"text":"a","price":"1e500"}',
    b'{"text":"a","price":"1e200000"}',
    b'{"text":"a","inner":' + b'{"a":' * 99 + b"{}" + b"}" * 100,
    b'{"text":"a","inner":{"a":' + b"[" * 200 + b"]" * 200 + b"}}",
]
PATHS = [
    "/rows",
    "/rows/1",
    "/rows/0",
    "/rows/-1",
    "/rows/99999999999999999999",
    "/rows/%00",
    "/rows/1.5",
    "/rows/%F0%9F%92%A9",
    "/rows/%2F",
    "/pages-x",
    "/pages",
    "/pages/%00",
    "/pages/..",
    "/pages/x%0Ay",
    "/pages/" + "a" * 3000,
]
QUERIES = [
    "",
    "?limit=0",
    "?limit=99999999999999999999",
    "?next=xx",
    "?next=%00",
    "?order=-id",
    "?order=zz",
    "?text=%00",
    "?a[b]=c",
    "?limit=1&limit=2",
    "?order=sold&limit=1",
    "?order=-sold&limit=1",
    *(
        f"?zoned[{how}]={at}"
        for how in ("gte", "lt")
        for at in ("0001-01-01T00:00:00%2B10:00", "9999-12-31T23:59:59-10:00")
    ),
    *(f"?span[{how}]={span}" for how in ("gte", "lt") for span in ("P999999999D", "-P999999999D")),
    *(
        f"?price[{how}]={price}"
        for how in ("gte", "lt")
        for price in ("1e399", "1.12345678901234567890123456789012345678")
    ),
]
CTYPES = [
    None,
    "application/json",
    "application/msgpack",
    "application/ld+json",
    "application/merge-patch+json",
    "text/x",
    "application/json; charset=utf-16",
    "\x80",
]
ACCEPTS = [None, "application/ld+json", "application/msgpack", "*/*;q=0", "zz"]

MESSAGES = [
    msgspec.msgpack.encode(data)
    for data in (
        {"text": "a"},
        {1: 2},
        {"text": b"x"},
        {"text": "a", "n": 2**63},
        {"text": "a", "f": float("inf")},
        [1],
        msgspec.msgpack.Ext(5, b"x"),
        {"text": "a", "inner": {1: 2}},
        {"inner": {1: {2: None}}},
        {"text": "a", "inner": {"a": b"x"}},
        {"text": "a", "inner": {"a": datetime(2020, 1, 1, tzinfo=UTC)}},
        {"text": "a", "inner": {"a": float("inf")}},
        {"text": "a", "inner": {"a": [[]] * 200}},
    )
] + [b"\xc1", b"\x81"]
Call = tuple[str, str, bytes | None, dict[str, Any]]


def calls() -> Iterator[Call]:
    own = ("/rows", "/rows/1", "/pages", "/pages/x")
    for method in ("POST", "PUT", "PATCH"):
        for path in own:
            yield from ((method, path, body, {}) for body in BODIES)
            yield from ((method, path, body, {"content-type": "application/msgpack"}) for body in MESSAGES)
        for kind in CTYPES:
            yield (
                method,
                "/rows/1",
                b'{"text":"a"}',
                {} if kind is None else {"content-type": kind.encode("latin-1")},
            )
        for key in (b"k" * 300, "\u00e9".encode("latin-1"), b"", b" "):
            yield method, "/rows/1", b'{"text":"a"}', {"idempotency-key": key}
    for method in ("GET", "PUT", "DELETE"):
        yield from ((method, path, None if method != "PUT" else b'{"text":"a"}', {}) for path in PATHS)
    for path in ("/rows", "/pages"):
        for query in QUERIES:
            yield from (
                ("GET", path + query, None, {} if one is None else {"accept": one}) for one in ACCEPTS
            )


@pytest.mark.slow
async def test_no_request_is_an_internal_error() -> None:
    class Base(DeclarativeBase): ...

    class Row(Base):
        __tablename__ = "rows"
        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]
        n: Mapped[int | None]
        f: Mapped[float | None]
        at: Mapped[datetime | None]
        zoned: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
        span: Mapped[timedelta | None] = mapped_column(Interval)
        word: Mapped[str | None] = mapped_column(Enum("a", "b", name="word"))
        price: Mapped[Decimal | None] = mapped_column(Numeric())
        inner: Mapped[Any] = mapped_column(JSON, nullable=True)
        sold: Mapped[bool] = mapped_column(default=False)

    class Doc(msgspec.Struct):
        text: Annotated[str, Meta(min_length=1)]
        id: str = "x"
        inner: dict[str, Any] = {}
        tags: list[int] = []

    app = App("hostile")
    ranges = GetCollection(
        filters={"zoned": "range", "span": "range", "price": "range", "text": "exact"}, order=("id", "sold")
    )
    app.resource(operations=[Post(), Get(), ranges, Put(), Patch(), Delete()])(Row)
    app.resource(store=MemoryStore(), path="/pages")(Doc)
    async with served(app) as it:
        for path in ("/rows", "/pages"):
            assert (await it.http.post(path, json={"text": "a"})).status_code == 201
        assert (await it.http.post("/rows", json={"text": "b", "sold": True})).status_code == 201
        wrong = [
            (answer.status_code, method, path[:80], headers, (body or b"")[:60])
            for method, path, body, headers in calls()
            if (answer := await it.http.request(method, path, content=body, headers=headers)).status_code
            >= 500
        ]
    assert wrong == []
