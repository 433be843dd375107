"""Mapped classes as resources: stored by default, in a transaction with what processors write and send."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Computed, DateTime, ForeignKey, String, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from starlette.responses import Response

from tests.unit.http.resources.serving import served
from worker import App, Context, Delete, Get, GetCollection, Hook, Patch, Post, Put
from worker.errors import DatabaseUnavailable
from worker.http.resources.cursor import cursor_of
from worker.messaging.idempotency import Fresh
from worker.resources import MessengerProcessor, PersistProcessor, RemoveProcessor
from worker.settings import DatabaseSettings
from worker.settings.model import ResourcesSettings
from worker.state.idempotency import SqlIdempotency


def library(**options: Any) -> tuple[App, type[Any]]:
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "books"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(String(50), unique=True)
        year: Mapped[int | None] = mapped_column(default=None)

    app = App("library")
    app.resource(**options)(Book)
    return app, Book


async def test_all_six_operations_work_without_further_word() -> None:
    app, _ = library()
    async with served(app) as it:
        created = await it.http.post("/books", json={"title": "Dune", "year": 1965})
        assert created.status_code == 201, created.text
        assert created.json() == {"id": 1, "title": "Dune", "year": 1965}
        assert created.headers["location"] == "/books/1"
        assert (await it.http.get("/books/1")).json()["title"] == "Dune"
        assert (await it.http.patch("/books/1", json={"year": None})).json()["year"] is None
        replaced = await it.http.put("/books/1", json={"title": "Emma"})
        assert replaced.json() == {"id": 1, "title": "Emma", "year": None}
        page = (await it.http.get("/books")).json()
        assert (page["total"], page["next"]) == (1, None)
        taken = await it.http.post("/books", json={"title": "Emma"})
        assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "/title")
        assert (await it.http.delete("/books/1")).status_code == 204
        assert (await it.http.get("/books/1")).status_code == 404


async def test_what_a_processor_writes_by_the_session_and_sends_leaves_with_the_commit() -> None:
    app, book = library(processor="UserProcessor", operations=[Post(), Put(), Get(), Delete()])

    @app.command
    class SendMail(msgspec.Struct, frozen=True):
        title: str

    @app.handler
    async def mail(command: SendMail) -> None: ...

    fails: list[bool] = []

    @app.processor
    class UserProcessor:
        def __init__(
            self, persist: PersistProcessor, remove: RemoveProcessor, messenger: MessengerProcessor
        ) -> None:
            self._persist, self._remove, self._messenger = persist, remove, messenger

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            if operation.is_delete:
                return await self._remove.process(data, operation, uri_variables, context)
            stored = await self._persist.process(data, operation, uri_variables, context)
            titles = (await context["session"].scalars(select(book.title))).all()
            assert stored.title in titles
            await self._messenger.process(SendMail(stored.title), operation, uri_variables, context)
            if fails:
                raise ValueError("no")
            return stored

    async with served(app) as it:
        assert (await it.http.post("/books", json={"title": "Dune"})).status_code == 201
        await it.worker.run_until_idle()
        assert it.worker.handled(SendMail) == [SendMail("Dune")]
        fails.append(True)
        assert (await it.http.post("/books", json={"title": "Emma"})).status_code == 500
        await it.worker.run_until_idle()
        assert it.worker.handled(SendMail) == [SendMail("Dune")]
        assert (await it.http.get("/books/2")).status_code == 404
        assert (await it.http.delete("/books/1")).status_code == 204


async def test_what_is_dispatched_inline_by_a_composition_is_handled_after_the_commit() -> None:
    app, book = library(processor="Composed", operations=[Post(), Get()])
    seen: list[Any] = []

    @app.command(transport="inline")
    class Count(msgspec.Struct, frozen=True):
        title: str

    @app.handler
    async def count(command: Count, context: Any) -> None:
        assert isinstance(context, Context)
        seen.append((await context.session.scalars(select(book.title))).all())

    @app.processor
    class Composed:
        def __init__(self, persist: PersistProcessor, messenger: MessengerProcessor) -> None:
            self._persist, self._messenger = persist, messenger

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            await self._messenger.process(Count(data.title), operation, uri_variables, context)
            return await self._persist.process(data, operation, uri_variables, context)

    async with served(app) as it:
        assert (await it.http.post("/books", json={"title": "Dune"})).status_code == 201
    assert seen == [["Dune"]]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_queued_by_their_columns_and_nothing_is_stored(method: str) -> None:
    """The worker's handler gets a transient object."""
    app, book = library(
        operations=[
            Post(messenger=True, status=202),
            Put(messenger=True),
            Patch(messenger=True),
            Delete(messenger=True),
            Post("plain"),
        ]
    )
    got: list[Any] = []

    async def handle(command: Any) -> None:
        got.append(command)

    handle.__annotations__["command"] = book
    app.handler(handle)

    async with served(app) as it:
        await it.http.post("/books/plain", json={"title": "Old"})
        path = "/books" if method == "POST" else "/books/1"
        body = None if method == "DELETE" else {"title": "New"}
        answer = await it.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        assert "/commands/" in answer.headers["link"]
        await it.worker.run_until_idle()
        [handled] = it.worker.handled(book)
        assert isinstance(handled, book)
        assert handled.title == ("Old" if method == "DELETE" else "New")
        [handled] = got


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_the_database_makes_of_columns_does_not_keep_an_object_from_being_queued(
    method: str,
) -> None:
    """Computed columns, the name of a class among several of one table, and defaults that are expressions."""

    class Base(DeclarativeBase):
        pass

    class Animal(Base):
        __tablename__ = "animals"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        legs: Mapped[int]
        pairs: Mapped[int | None] = mapped_column(Computed("legs / 2"))
        made: Mapped[datetime] = mapped_column(DateTime, server_default=func.now())
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}

    class Dog(Animal):
        __mapper_args__ = {"polymorphic_identity": "dog"}

    app = App("zoo")
    changing = [Put(messenger=True), Patch(messenger=True), Delete(messenger=True)]
    app.resource(operations=[Post(messenger=True), *changing, Post("plain"), Get()])(Dog)
    app.handler(_handles(Dog))
    async with served(app) as it:
        stored = (await it.http.post("/dogs/plain", json={"legs": 4})).json()
        assert (stored["kind"], stored["pairs"]) == ("dog", 2)
        path = "/dogs" if method == "POST" else "/dogs/1"
        body = None if method == "DELETE" else {"legs": 3}
        answer = await it.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        await it.worker.run_until_idle()
        assert it.worker.failed() == []
        [handled] = it.worker.handled(Dog)
        assert type(handled) is Dog and handled.legs == (4 if method == "DELETE" else 3)
        assert handled.kind == "dog" and handled.id == (None if method == "POST" else 1)


def _handles(cls: type[Any]) -> Any:
    async def handle(command: Any) -> None: ...

    handle.__annotations__["command"] = cls
    return handle


async def test_null_in_a_patch_gives_a_default_of_the_database_again() -> None:
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "books"
        id: Mapped[int] = mapped_column(primary_key=True)
        note: Mapped[str] = mapped_column(server_default="it's")

    app = App("library")
    app.resource(Book)
    async with served(app) as it:
        await it.http.post("/books", json={"note": "x"})
        assert (await it.http.patch("/books/1", json={"note": None})).json()["note"] == "it's"
        assert (await it.http.get("/books/1")).json()["note"] == "it's"


async def test_what_cannot_be_set_is_named() -> None:
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "books"
        id: Mapped[int] = mapped_column(primary_key=True)
        pages: Mapped[int] = mapped_column(default=2)
        sheets: Mapped[int | None] = mapped_column(Computed("pages / 2"))

    app = App("library")
    app.resource(Book)
    async with served(app) as it:
        await it.http.post("/books", json={})
        for method, path in (("POST", "/books"), ("PATCH", "/books/1"), ("PUT", "/books/1")):
            refused = await it.http.request(method, path, json={"sheets": 7})
            assert refused.status_code == 422
            assert refused.json()["errors"] == [
                {"pointer": "/sheets", "message": "is computed and cannot be set"}
            ]
        schemas = (await it.http.get("/openapi.json")).json()["components"]["schemas"]
        described = {
            name: schemas[name]["properties"]["sheets"].get("readOnly") for name in ("BookCreate", "Book")
        }
        assert described == {"BookCreate": True, "Book": True}


async def test_what_others_refer_to_by_a_relationship_is_not_removed() -> None:
    app = shelves()
    async with served(app) as it:
        await it.http.post("/shelves", json={})
        assert (await it.http.post("/shelves/1/books", json={})).status_code == 201
        refused = await it.http.delete("/shelves/1")
        assert (refused.status_code, refused.json().get("errors")) == (409, None)
        assert "refer to it" in refused.json()["detail"]


@pytest.mark.parametrize("shelf", ["x", "99999999999999999999", "1.0"])
async def test_nothing_is_made_below_what_cannot_be(shelf: str) -> None:
    app = shelves()
    async with served(app) as it:
        await it.http.post("/shelves", json={})
        assert (await it.http.post(f"/shelves/{shelf}/books", json={})).status_code == 404


def shelves() -> App:
    class Base(DeclarativeBase):
        pass

    class Shelf(Base):
        __tablename__ = "shelves"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Book(Base):
        __tablename__ = "books"
        id: Mapped[int] = mapped_column(primary_key=True)
        shelf_id: Mapped[int] = mapped_column(ForeignKey("shelves.id"))

    Shelf.books = relationship(Book)  # type: ignore[attr-defined]
    app = App("library")
    app.resource(path="/shelves")(Shelf)
    app.resource(path="/shelves/{shelf_id}/books")(Book)
    return app


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_an_inline_handler_may_write_what_the_request_has_only_read(method: str) -> None:
    """The request holds no lock of the database while a message of it is handled, and stores nothing of its own."""
    app, book = library(
        operations=[Post(), Get(), Put(messenger=True), Patch(messenger=True), Delete(messenger=True)]
    )
    app.command(transport="inline")(book)

    async def handle(command: Any, context: Context) -> None:
        stored = await context.session.get(book, command.id)
        stored.year = 2001

    handle.__annotations__ |= {"command": book}
    app.handler(handle)
    async with served(app) as it:
        await it.http.post("/books", json={"title": "Old"})
        async with asyncio.timeout(20):
            body = None if method == "DELETE" else {"title": "New"}
            answer = await it.http.request(method, "/books/1", json=body)
        assert answer.is_success, answer.text
        assert (await it.http.get("/books/1")).json() == {"id": 1, "title": "Old", "year": 2001}


@pytest.mark.parametrize("content_type", ["application/json", "application/ld+json"])
async def test_a_key_is_answered_with_the_commit_so_that_a_repeat_after_a_crash_stores_nothing_again(
    monkeypatch: pytest.MonkeyPatch, content_type: str
) -> None:
    async def dead(*given: Any) -> None:
        raise DatabaseUnavailable("the process is gone before it could say so")

    app, _ = library()
    request = {"json": {"title": "Dune"}, "headers": {"idempotency-key": "k", "accept": content_type}}
    async with served(app) as it:
        with monkeypatch.context() as crash:
            crash.setattr(SqlIdempotency, "finish", dead)
            first = await it.http.post("/books", **request)
        again = await it.http.post("/books", **request)
        total = (await it.http.get("/books")).json()["total"]
    assert (again.status_code, total) == (201, 1), again.text
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    for name in ("content-type", "location", "link", "vary"):
        assert again.headers[name] == first.headers[name]


async def test_a_listener_that_fails_after_the_commit_does_not_make_a_repeat_store_it_again() -> None:
    app, _ = library()

    @app.listener(Hook.POST_WRITE)
    async def fails(event: Any) -> None:
        raise RuntimeError("what is stored stays stored")

    request = {"json": {"title": "Dune"}, "headers": {"idempotency-key": "k"}}
    async with served(app) as it:
        first = await it.http.post("/books", **request)
        again = await it.http.post("/books", **request)
    assert (first.status_code, again.status_code, again.json()["id"]) == (500, 201, 1)


async def test_a_request_whose_key_has_passed_to_another_stores_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, _ = library()
    request = {"json": {"title": "Dune"}, "headers": {"idempotency-key": "k"}}
    begin = SqlIdempotency.begin

    async def lost(self: Any, *given: Any) -> Any:
        begun = await begin(self, *given)
        return replace(begun, claim="the claim of nobody") if isinstance(begun, Fresh) else begun

    async with served(app) as it:
        monkeypatch.setattr(SqlIdempotency, "begin", lost)
        answer = await it.http.post("/books", **request)
        total = (await it.http.get("/books")).json()["total"]
    assert (answer.status_code, total) == (409, 0)


async def test_what_a_processor_refuses_may_be_sent_again_corrected_under_its_key() -> None:
    app, _ = library(processor="Choosy")

    @app.processor
    class Choosy:
        def __init__(self, persist: PersistProcessor) -> None:
            self._persist = persist

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            if data.title == "Bad":
                return Response(status_code=409)
            return await self._persist.process(data, operation, uri_variables, context)

    key = {"idempotency-key": "k"}
    async with served(app) as it:
        refused = await it.http.post("/books", json={"title": "Bad"}, headers=key)
        taken = await it.http.post("/books", json={"title": "Good"}, headers=key)
    assert (refused.status_code, taken.status_code) == (409, 201)


async def test_a_length_of_time_that_sqlite_cannot_hold_is_refused_and_found_to_be_beyond_all_others() -> (
    None
):
    class Base(DeclarativeBase): ...

    class Loan(Base):
        __tablename__ = "loans"
        id: Mapped[int] = mapped_column(primary_key=True)
        span: Mapped[timedelta | None]

    app = App("library")
    app.resource(
        operations=[
            Post(),
            Put(allow_create=True),
            Get(),
            GetCollection(filters={"span": "range"}, order=("span",)),
        ]
    )(Loan)
    app.resource(name="Exact", path="/exact", operations=[GetCollection(filters={"span": "exact"})])(Loan)
    async with served(app) as it:
        assert (await it.http.post("/loans", json={"span": "P7D"})).status_code == 201
        for span in ("P999999999D", "-P999999999D"):
            for answer in (
                await it.http.post("/loans", json={"span": span}),
                await it.http.put("/loans/1", json={"span": span}),
            ):
                assert answer.status_code == 422
                assert answer.json()["errors"] == [
                    {"pointer": "/span", "message": "is longer than the database keeps"}
                ]

        async def total(path: str, **query: str) -> int:
            answer = await it.http.get(path, params=query)
            assert answer.status_code == 200, answer.text
            return int(answer.json()["total"])

        for how, most, least in (("gt", 0, 1), ("gte", 0, 1), ("lt", 1, 0), ("lte", 1, 0)):
            assert await total("/loans", **{f"span[{how}]": "P999999999D"}) == most
            assert await total("/loans", **{f"span[{how}]": "-P999999999D"}) == least
        assert await total("/exact", span="P999999999D") == 0
        assert await total("/exact", span="P7D") == 1
        made_up = cursor_of((("order", "span"),), ["P999999999D", 1], "Loan loan_get_list")
        answer = await it.http.get("/loans", params={"next": made_up})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/next")


async def test_times_without_end_have_their_zone(postgres_url: str) -> None:
    """asyncpg reads PostgreSQL's infinity as a time without zone; a change of another field is no fault of it."""

    class Base(DeclarativeBase): ...

    class Offer(Base):
        __tablename__ = "offers"
        id: Mapped[int] = mapped_column(primary_key=True)
        until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
        title: Mapped[str] = mapped_column(default="")

    app = App("shop")
    app.resource(operations=[Post(), Get(), Patch(), GetCollection(order=("until",))])(Offer)
    settings = {
        "database": DatabaseSettings(url=postgres_url),
        "resources": ResourcesSettings(create_tables=True),
    }
    ends = ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"]
    async with served(app, settings=settings) as it:
        for until in ends:
            answer = await it.http.post("/offers", json={"until": until})
            assert (answer.status_code, answer.json()["until"]) == (201, until)
        changed = await it.http.patch("/offers/1", json={"title": "x"})
        assert (changed.status_code, changed.json()["until"]) == (200, ends[0]), changed.text
        for order, expected in (("until", [2, 1, 3]), ("-until", [1, 3, 2])):
            found, asked = [], {"order": order, "limit": "1"}
            for _ in ends:
                page = (await it.http.get("/offers", params=asked)).json()
                found += [item["id"] for item in page["items"]]
                asked = {"next": page["next"], "limit": "1"}
            assert found == expected
            assert page["next"] is None
