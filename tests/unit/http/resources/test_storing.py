"""Resources that are stored: every method, its status, and what it does to the stored object."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from tests.unit.http.resources.memory_store import MemoryStore, MemoryWork
from tests.unit.http.resources.serving import served
from worker import App, DatabaseUnavailable, Delete, Get, Patch, Post, Put


def library(**options: Any) -> tuple[App, MemoryStore, type[Any]]:
    app, store = App("library"), MemoryStore()

    @app.resource(store=store, **options)
    class Book(msgspec.Struct):
        title: Annotated[str, Meta(min_length=1)]
        id: int | None = None
        year: int | None = None
        tags: list[str] = []

    store.rows = {7: Book("Emma", 7, 1815, ["novel"])}
    return app, store, Book


async def test_a_post_creates_and_says_where() -> None:
    app, store, _ = library()
    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "Dune"})
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"title": "Dune", "id": 1, "year": None, "tags": []}
    assert answer.headers["location"] == "/books/1"
    assert store.rows[1].title == "Dune"


async def test_a_get_answers_with_the_object_and_404_without() -> None:
    app, _, _ = library()
    async with served(app) as it:
        found = await it.http.get("/books/7")
        missing = await it.http.get("/books/8")
        odd = await it.http.get("/books/x")
    assert found.status_code == 200
    assert found.json()["title"] == "Emma"
    assert found.headers["vary"] == "Accept"
    assert found.headers["link"] == '</docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"'
    assert missing.status_code == odd.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert "hydra" in missing.headers["link"]


async def test_a_collection_is_read_by_pages() -> None:
    app, store, book = library()
    store.rows |= {n: book(f"b{n}", n) for n in range(10, 15)}
    async with served(app) as it:
        first = (await it.http.get("/books", params={"limit": 4})).json()
        second = (await it.http.get("/books", params={"next": first["next"], "limit": 4})).json()
        wrong = await it.http.get("/books", params={"limit": 400, "nope": 1})
    assert [one["id"] for one in first["items"]] == [7, 10, 11, 12]
    assert [one["id"] for one in second["items"]] == [13, 14]
    assert first["total"] == 6
    assert second["next"] is None
    assert wrong.status_code == 422
    assert {fault["pointer"] for fault in wrong.json()["errors"]} == {"/limit", "/nope"}


async def test_a_put_replaces_every_field_but_the_identifier() -> None:
    app, store, _ = library()
    async with served(app) as it:
        answer = await it.http.put("/books/7", json={"title": "Persuasion", "id": 7})
        missing = await it.http.put("/books/8", json={"title": "x"})
    assert answer.status_code == 200
    assert answer.json() == {"title": "Persuasion", "id": 7, "year": None, "tags": []}
    assert store.rows.keys() == {7}
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer", "value"),
    [
        ("PUT", "/books/7", {"title": "x", "id": 99}, "/id", 7),
        ("PUT", "/books/8", {"title": "x", "id": 7}, "/id", 8),
        ("PATCH", "/books/7", {"id": 99}, "/id", 7),
        ("PATCH", "/books/7", {"id": None, "title": "x"}, "/id", 7),
        ("POST", "/years/1815/books", {"title": "x", "year": 1816}, "/year", 1815),
        ("POST", "/years/1815/books", {"title": "x", "year": None}, "/year", 1815),
        ("PUT", "/years/1815/books/7", {"title": "x", "year": 1816}, "/year", 1815),
        ("PATCH", "/years/1815/books/7", {"year": None}, "/year", 1815),
    ],
)
async def test_a_body_says_nothing_else_than_its_path(
    method: str, path: str, body: dict[str, Any], pointer: str, value: int
) -> None:
    """What would have no effect is refused, and nothing is changed; what says the same is taken."""
    paths = ("/years/{year}/books", "/years/{year}/books/{id}")
    operations = [Get(), Put(allow_create=True), Patch(), Post(paths[0])]
    operations += [Put(paths[1], name="put_of"), Patch(paths[1], name="patch_of")]
    app, store, _ = library(operations=operations)
    async with served(app) as it:
        before = dict(store.rows)
        answer = await it.http.request(method, path, json=body)
        assert answer.status_code == 422, answer.text
        fault = {"pointer": pointer, "message": f"is {value} here, and stays so; leave it out"}
        assert answer.json()["errors"] == [fault]
        assert store.rows == before
        given = {**body, pointer[1:]: value} if method == "POST" else {"id": 7, **body, pointer[1:]: value}
        same = await it.http.request(method, path, json=given)
        assert same.status_code in {200, 201}, same.text


async def test_a_put_may_create_under_its_id_where_the_operation_says_so() -> None:
    app, store, _ = library(operations=[Get(), Put(allow_create=True)])
    async with served(app) as it:
        created = await it.http.put("/books/8", json={"title": "x"})
        replaced = await it.http.put("/books/8", json={"title": "y"})
    assert (created.status_code, replaced.status_code) == (201, 200)
    assert created.headers["location"] == "/books/8"
    assert store.rows[8].title == "y"


@pytest.mark.parametrize(
    ("method", "path", "condition", "status"),
    [
        ("PUT", "/books/8", {"if-none-match": "*"}, 201),
        ("PUT", "/books/7", {"if-none-match": "*"}, 412),
        ("PUT", "/books/8", {"if-match": "*"}, 412),
        ("PUT", "/books/7", {"if-match": "*"}, 200),
        ("PUT", "/books/7", {"if-match": '"v1"'}, 412),
        ("PUT", "/books/7", {"if-none-match": '"v1"'}, 200),
        ("PATCH", "/books/7", {"if-none-match": "*"}, 412),
        ("PATCH", "/books/7", {"if-match": "*"}, 200),
        ("PATCH", "/books/8", {"if-match": "*"}, 404),
        ("DELETE", "/books/7", {"if-none-match": "*"}, 412),
        ("DELETE", "/books/7", {"if-match": " *"}, 204),
    ],
)
async def test_a_write_is_done_only_where_its_conditions_hold(
    method: str, path: str, condition: dict[str, str], status: int
) -> None:
    """RFC 9110, 13.1: what fails is 412, and changes nothing; what is 404 without the condition is so with it."""
    app, store, _ = library(operations=[Get(), Put(allow_create=True), Patch(), Delete()])
    before = dict(store.rows)
    async with served(app) as it:
        body = {} if method == "DELETE" else {"json": {"title": "x"}}
        answer = await it.http.request(method, path, headers=condition, **body)
    assert answer.status_code == status, answer.text
    if status == 412:
        assert answer.json()["type"] == "urn:command-worker:problem:precondition-failed"
        assert store.rows == before


async def test_of_two_that_create_at_once_the_second_is_told_by_its_condition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It had found nothing when it looked: 412 where it said that there must be nothing, else 409."""
    app, _, book = library(operations=[Put(allow_create=True)])

    async def late(work: MemoryWork, resource: Any, identifiers: Any) -> None:
        work._rows = {8: book("first", 8)}

    monkeypatch.setattr(MemoryWork, "find", late)
    async with served(app) as it:
        told = await it.http.put("/books/8", json={"title": "x"}, headers={"if-none-match": "*"})
        plain = await it.http.put("/books/8", json={"title": "x"})
    assert (told.status_code, plain.status_code) == (412, 409)


async def test_a_condition_tells_nothing_to_who_is_not_allowed_to_know() -> None:
    app, _, _ = library(operations=[Put(allow_create=True, security=lambda who, book, request: book is None)])
    async with served(app) as it:
        answer = await it.http.put("/books/7", json={"title": "x"}, headers={"if-none-match": "*"})
    assert answer.status_code == 403


async def test_a_patch_keeps_absent_fields() -> None:
    app, store, _ = library()
    async with served(app) as it:
        answer = await it.http.patch(
            "/books/7", content=b'{"year": null}', headers={"content-type": "application/merge-patch+json"}
        )
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"title": "Emma", "id": 7, "year": None, "tags": ["novel"]}
    assert store.rows[7].year is None


@pytest.mark.parametrize("deep", [400, 990, 5000])
async def test_a_patch_that_is_nested_too_deeply_is_refused(deep: int) -> None:
    app, store, _ = library()

    @app.resource(store=store, name="Note")
    class Note(msgspec.Struct):
        id: int
        held: dict[str, Any] = {}

    store.rows[8] = Note(8, {"a": 1})
    body = b'{"held": ' + b'{"a": ' * deep + b"1" + b"}" * (deep + 1)
    async with served(app) as it:
        answer = await it.http.patch("/notes/8", content=body)
    assert answer.status_code in {200, 400}


async def test_a_delete_removes_and_answers_204() -> None:
    app, store, _ = library()
    async with served(app) as it:
        answer = await it.http.delete("/books/7")
        again = await it.http.delete("/books/7")
    assert (answer.status_code, answer.content) == (204, b"")
    assert store.rows == {}
    assert again.status_code == 404


async def test_faults_of_types_and_constraints_are_told_at_once_and_nothing_is_stored() -> None:
    app, store, _ = library()
    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "", "year": "x", "nope": 1})
        patched = await it.http.patch("/books/7", json={"title": ""})
    assert answer.status_code == patched.status_code == 422
    assert {fault["pointer"] for fault in answer.json()["errors"]} == {"/title", "/year", "/nope"}
    assert patched.json()["errors"][0]["pointer"] == "/title"
    assert store.rows[7].title == "Emma"
    assert store.rows.keys() == {7}


async def test_a_taken_identifier_is_409_that_names_the_field() -> None:
    app, _, _ = library()
    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "x", "id": 7})
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["pointer"] == "/id"


async def test_a_method_without_operation_is_405() -> None:
    app, _, _ = library(operations=[Get()])
    async with served(app) as it:
        answer = await it.http.delete("/books/7")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("operation", [Post, Put, Patch, Delete])
async def test_an_idempotency_key_gives_the_first_answer_again(operation: Any) -> None:
    app, store, _ = library()
    method = operation.method
    path = "/books" if operation is Post else "/books/7"
    body = None if operation is Delete else {"title": "Once"}
    async with served(app) as it:
        first = await it.http.request(method, path, json=body, headers={"idempotency-key": "k"})
        store.log.clear()
        again = await it.http.request(method, path, json=body, headers={"idempotency-key": "k"})
        other = await it.http.request(method, path, json={"title": "Two"}, headers={"idempotency-key": "k"})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert store.log == []
    assert other.status_code == 422


async def test_a_key_stays_taken_where_nobody_knows_whether_the_object_is_stored() -> None:
    """A repeat could store it twice."""
    app, store, _ = library()
    commit = MemoryWork.commit

    async def lost(work: MemoryWork) -> None:
        await commit(work)
        error = DatabaseUnavailable("connection lost")
        error.unknown = True
        raise error

    async with served(app) as it:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MemoryWork, "commit", lost)
            first = await it.http.post("/books", json={"title": "x"}, headers={"idempotency-key": "k"})
        again = await it.http.post("/books", json={"title": "x"}, headers={"idempotency-key": "k"})
    assert (first.status_code, again.status_code) == (503, 409)
    assert store.log.count("persist") == 1


async def test_formats_are_agreed_upon() -> None:
    app, _, _ = library()
    async with served(app) as it:
        packed = await it.http.get("/books/7", headers={"accept": "application/msgpack"})
        linked = await it.http.get("/books/7", headers={"accept": "application/ld+json"})
        none = await it.http.get("/books/7", headers={"accept": "text/csv"})
        unread = await it.http.post("/books", content=b"x", headers={"content-type": "text/csv"})
        posted = await it.http.post(
            "/books",
            content=b'{"@context": "/contexts/Book", "@type": "Book", "title": "Linked"}',
            headers={"content-type": "application/ld+json", "accept": "application/ld+json"},
        )
    assert msgspec.msgpack.decode(packed.content)["title"] == "Emma"
    assert linked.json()["@id"] == "/books/7"
    assert none.status_code == 406
    assert unread.status_code == 415
    assert posted.status_code == 201, posted.text
    assert posted.json()["title"] == "Linked"
