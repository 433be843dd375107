"""Access to resources: predicates before and after the body, rights and scopes of tokens."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, Patch, Post, Put, TokenDocument
from worker.resources import Page as PageOf
from worker.tokens.principal import Principal, principal_of


class Page(msgspec.Struct):
    index: str
    id: int | None = None


def pages(**options: Any) -> tuple[App, MemoryStore]:
    app, store = App("wiki"), MemoryStore()
    app.resource(store=store, **options)(Page)
    store.rows = {11: Page("a", 11), 12: Page("b", 12), 13: Page("c", 13)}
    return app, store


def caller(**options: Any) -> Principal:
    token = TokenDocument(id="t", **options)
    return principal_of(token, None, lambda _, plugins: ())


class Draft(msgspec.Struct, frozen=True):
    index: str
    text: str = ""


async def test_security_is_asked_of_the_stored_object_before_the_body_is_read() -> None:
    asked: list[Any] = []

    async def allowed(principal: Any, obj: Any, request: Any) -> bool:
        asked.append((principal.id, None if obj is None else obj.index, request.method))
        return request.method == "GET"

    app, store = pages(security=allowed)
    async with served(app) as it:
        put = await it.http.put("/pages/11", content=b"no json at all")
        post = await it.http.post("/pages", content=b"neither")
        listed = await it.http.get("/pages")
    assert (put.status_code, post.status_code, listed.status_code) == (403, 403, 200)
    assert asked == [(None, "a", "PUT"), (None, None, "POST"), (None, None, "GET")]
    assert store.rows[11].index == "a"


@pytest.mark.parametrize(
    ("said", "status"),
    [(None, 403), (0, 403), ("", 403), ([], 403), (1, 200), ("no", 200), ([0], 200)],
)
@pytest.mark.parametrize("awaited", [False, True])
async def test_what_security_says_counts_as_python_counts_it_and_is_awaited(
    said: Any, status: int, awaited: bool
) -> None:
    class Later:
        def __await__(self) -> Any:
            return said
            yield

    app, _ = pages(security=lambda principal, obj, request: Later() if awaited else said)
    async with served(app) as it:
        assert (await it.http.get("/pages/11")).status_code == status


async def test_security_after_is_asked_of_the_object_as_the_body_made_it() -> None:
    app, store = pages(operations=[Post(security_after=lambda principal, obj, request: obj.index != "x")])
    async with served(app) as it:
        refused = await it.http.post("/pages", json={"index": "x"})
        taken = await it.http.post("/pages", json={"index": "y"})
        invalid = await it.http.post("/pages", json={"index": 3})
    assert (refused.status_code, taken.status_code, invalid.status_code) == (403, 201, 422)
    assert [row.index for row in store.rows.values()][3:] == ["y"]


async def test_a_token_needs_the_right_resources() -> None:
    app, _ = pages()
    async with served(app, caller(rights=("send",))) as it:
        refused = await it.http.get("/pages/11")
    assert refused.status_code == 403
    assert "resources" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/pages/11", None, 200),
        ("GET", "/pages/13", None, 403),
        ("DELETE", "/pages/13", None, 403),
        ("PUT", "/pages/13", {"index": "a"}, 403),
        ("PUT", "/pages/11", {"index": "c"}, 403),
        ("PATCH", "/pages/11", {"index": "b"}, 200),
        ("POST", "/pages", {"index": "c"}, 403),
        ("POST", "/pages", {"index": "a"}, 201),
    ],
)
async def test_a_token_reaches_only_objects_of_its_scopes(
    method: str, path: str, body: Any, status: int
) -> None:
    app, store = pages(scopes={"index": "index"})
    before = dict(store.rows)
    async with served(app, caller(scopes={"index": ("a", "b")})) as it:
        answer = await it.http.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert store.rows == before


async def test_a_collection_holds_what_a_token_reaches() -> None:
    app, _ = pages(scopes={"index": "index"})
    async with served(app, caller(scopes={"index": ("a", "b")})) as it:
        answer = await it.http.get("/pages")
    assert [one["index"] for one in answer.json()["items"]] == ["a", "b"]


async def test_a_missing_field_is_narrowed_to_what_the_token_reaches() -> None:
    app, store = pages(scopes={"index": "index"})
    async with served(app, caller(scopes={"index": ("a",)})) as it:
        answer = await it.http.post("/pages", json={})
        all_of_it = await it.http.post("/pages", json={"index": "*"})
    assert (answer.status_code, answer.json()["index"]) == (201, "a"), answer.text
    assert all_of_it.json()["index"] == "a"
    assert len(store.rows) == 5


@pytest.mark.parametrize("operation", [Post(input=Draft), Put(input=Draft), Patch(input=Draft)])
@pytest.mark.parametrize(
    ("body", "index"),
    [
        ({"index": "a"}, "a"),
        ({"index": "b,a"}, "b,a"),
        ({"index": "*"}, "a,b"),
        ({}, "a,b"),
        ({"index": "c"}, None),
    ],
)
async def test_what_is_read_into_an_input_class_is_narrowed_as_the_resource_is(
    operation: Any, body: dict[str, str], index: str | None
) -> None:
    """By the fields of the same names: another class is no way around a token's scopes."""
    app, _ = pages(scopes={"index": "index"}, operations=[operation], processor="Noting")
    noted: list[Any] = []

    @app.processor
    class Noting:
        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            noted.append(data)
            return Page(data.index, 11)

    async with served(app, caller(scopes={"index": ("a", "b")})) as it:
        path = "/pages" if operation.method == "POST" else "/pages/11"
        answer = await it.http.request(operation.method, path, json=body)
    if index is None:
        assert (answer.status_code, noted) == (403, []), answer.text
    else:
        assert answer.is_success, answer.text
        assert noted == [Draft(index)]


async def test_an_input_class_without_the_scoped_field_is_not_narrowed() -> None:
    class Note(msgspec.Struct, frozen=True):
        text: str

    app, _ = pages(scopes={"index": "index"}, operations=[Post(input=Note)], processor="Noting")

    @app.processor
    class Noting:
        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            return Page("a", 11)

    async with served(app, caller(scopes={"index": ("a", "b")})) as it:
        assert (await it.http.post("/pages", json={"text": "x"})).status_code == 201


@pytest.mark.parametrize("as_page", [False, True])
async def test_a_page_of_a_provider_has_what_a_token_reaches(as_page: bool) -> None:
    """Whether or not it asks for the token's scopes itself."""
    app, _ = pages(scopes={"index": "index"}, provider="All")
    found = [Page("a", 11), Page("c", 12), Page("b", 13)]

    @app.provider
    class All:
        async def provide(self, operation: Any, uri_variables: Any, context: Any) -> Any:
            return PageOf(found, 3) if as_page else found

    async with served(app, caller(scopes={"index": ("a", "b")})) as it:
        answer = (await it.http.get("/pages")).json()
    assert ([one["index"] for one in answer["items"]], answer["total"]) == (["a", "b"], 2)
    async with served(app, caller()) as it:
        assert (await it.http.get("/pages")).json()["total"] == 3
