"""Pages of a collection as linked data: their links ask for what was asked."""

from __future__ import annotations

import msgspec

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, GetCollection


async def test_the_links_of_a_page_have_all_that_was_asked_for():
    app, store = App("library"), MemoryStore()

    @app.resource(
        store=store, operations=[GetCollection(filters={"year": "range"}, parameters={"fields": str})]
    )
    class Book(msgspec.Struct):
        id: int
        year: int

    store.rows = {number: Book(number, 1900) for number in range(3)}
    async with served(app) as it:
        linked = {"accept": "application/ld+json"}
        asked = "limit=2&year%5Bgt%5D=1&fields=id"
        view = (await it.http.get(f"/books?{asked}", headers=linked)).json()["view"]
        assert view["@id"] == view["first"] == f"/books?{asked}"
        assert view["next"].startswith(f"/books?{asked}&next=")
        last = (await it.http.get(view["next"], headers=linked)).json()
        assert last["view"]["first"] == view["first"]
        assert "next" not in last["view"]
        assert last["totalItems"] == 3


async def test_where_parameters_are_not_validated_what_does_not_fit_is_passed_over():
    app, store = App("library"), MemoryStore()

    @app.resource(
        store=store,
        operations=[
            GetCollection(
                query_parameter_validate=False, filters={"year": "exact"}, page_size=2, max_page_size=3
            )
        ],
    )
    class Book(msgspec.Struct):
        id: int
        year: int

    store.rows = {number: Book(number, 1900 + number) for number in range(5)}
    async with served(app) as it:
        wrong = await it.http.get("/books?year=soon&colour=red&limit=100&order=colour&next=x")
        assert wrong.status_code == 200
        assert [book["id"] for book in wrong.json()["items"]] == [0, 1, 2]
        right = await it.http.get("/books?year=1904&colour=red")
        assert [book["id"] for book in right.json()["items"]] == [4]


async def test_an_order_that_names_a_field_twice_is_refused():
    app, store = App("pages"), MemoryStore()

    @app.resource(store=store, operations=[GetCollection(order=("id", "year"))])
    class Book(msgspec.Struct):
        id: int
        year: int

    async with served(app) as it:
        for order in ("year,-year", "-id,year,id", "year,year"):
            answer = await it.http.get("/books", params={"order": order})
            assert answer.status_code == 422, order
            (fault,) = answer.json()["errors"]
            assert fault["pointer"] == "/order"
            assert fault["message"].endswith("twice; expected each field once")
