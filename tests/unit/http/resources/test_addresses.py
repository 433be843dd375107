"""Addresses: each object has one, it is the one that answers say, and it leads to this object alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, ConfigurationError, Delete, Get, GetCollection, Patch, Post, Put


def library(kind: type[Any] = int, **options: Any) -> App:
    class Base(DeclarativeBase):
        pass

    class Numbered(Base):
        __tablename__ = "numbered"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(default="t")
        year: Mapped[int | None] = mapped_column(default=None)

    class Named(Base):
        __tablename__ = "named"
        id: Mapped[str] = mapped_column(primary_key=True)

    app = App("library")
    app.resource(name="Book", **options)(Numbered if kind is int else Named)
    return app


@pytest.mark.parametrize("id", ["a/b", "//", "%2F", "a%2Fb", "é ?#;\\", "/x"])
async def test_location_leads_to_the_object_whatever_its_identifier_is(id: str) -> None:
    async with served(library(str)) as it:
        created = await it.http.post("/books", json={"id": id})
        assert created.status_code == 201, created.text
        found = await it.http.get(created.headers["location"])
        assert (found.status_code, found.json().get("id")) == (200, id)


async def test_a_slash_that_is_not_part_of_an_identifier_still_ends_it() -> None:
    async with served(library(str)) as it:
        await it.http.post("/books", json={"id": "a/b"})
        assert (await it.http.get("/books/a/b")).status_code == 404


@pytest.mark.parametrize("id", ["x", "9223372036854775808", "1.0", "1e3", "01", "-0"])
async def test_put_creates_nothing_at_a_path_that_is_no_identifier(id: str) -> None:
    async with served(library(operations=[Get(), GetCollection(), Put(allow_create=True)])) as it:
        answer = await it.http.put(f"/books/{id}", json={"title": "One"})
        total = (await it.http.get("/books")).json()["total"]
    assert (answer.status_code, total) == (404, 0)


@pytest.mark.parametrize("path", ["/bücher", "/книги", "/a%20b"])
async def test_a_path_in_any_script_is_answered_percent_encoded(path: str) -> None:
    async with served(library(path=path)) as it:
        encoded = path.replace("%", "%25")
        created = await it.http.post(encoded, json={})
        assert created.status_code == 201, created.text
        assert created.headers["location"].isascii()
        assert (await it.http.get(created.headers["location"])).status_code == 200
        listed = await it.http.get(encoded, headers={"accept": "application/ld+json"})
        assert listed.json()["@id"].isascii()
        assert listed.json()["member"][0]["@id"] == created.headers["location"]


@pytest.mark.parametrize("operation", [Get("first"), Put("first"), Patch("first"), Delete("first")])
async def test_an_operation_that_does_not_say_which_object_is_meant_is_refused_at_start(
    operation: Any,
) -> None:
    with pytest.raises(
        ConfigurationError, match=r"/books/first: its path says nothing of which Book is meant"
    ):
        async with served(library(operations=[Post(), operation])):
            pass


async def test_an_operation_whose_provider_knows_which_object_is_meant_needs_no_identifier() -> None:
    app = App("library")

    class Mine:
        async def provide(self, operation: Any, uri_variables: Any, context: Any) -> Any:
            return Profile("me")

    @app.resource(store=MemoryStore(), identifier="name", operations=[Get("/me", provider=Mine)])
    class Profile(msgspec.Struct):
        name: str

    async with served(app) as it:
        assert (await it.http.get("/me")).json() == {"name": "me"}


async def test_one_of_several_that_a_path_may_mean_is_never_picked() -> None:
    path = "by-title/{title}"
    async with served(
        library(operations=[Post(), Get(path), Patch(path), Delete(path), GetCollection()])
    ) as it:
        await it.http.post("/books", json={"title": "One"})
        assert (await it.http.get("/books/by-title/One")).json()["id"] == 1
        await it.http.post("/books", json={"title": "One"})
        for method in ("GET", "PATCH", "DELETE"):
            answer = await it.http.request(
                method, "/books/by-title/One", json={} if method == "PATCH" else None
            )
            assert answer.status_code == 409
            assert "more than one of title 'One'" in answer.json()["detail"]
        assert (await it.http.get("/books")).json()["total"] == 2


async def test_a_variable_that_is_there_twice_is_refused_at_start() -> None:
    with pytest.raises(ConfigurationError, match=r"has \{id\} twice"):
        async with served(library(path="/shelves/{id}")):
            pass


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"filters": {"year": "partial"}}, "'year' cannot be 'partial'"),
        ({"parameters": {"limit": int}}, "'limit' is two parameters"),
        ({"parameters": {"title": str}, "filters": {"title": "exact"}}, "'title' is two parameters"),
    ],
)
async def test_a_collection_cannot_be_asked_for_what_its_fields_are_not(options: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        async with served(library(operations=[GetCollection(**options)])):
            pass


async def test_what_a_processor_may_not_do_is_no_fault_of_who_asks() -> None:
    app = library(processor="Ends")

    @app.processor
    class Ends:
        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            await context["session"].commit()

    async with served(app) as it:
        answer = await it.http.post("/books", json={})
    assert answer.status_code == 500
    assert "commit" not in answer.text
