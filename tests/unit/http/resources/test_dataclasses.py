"""Dataclasses within objects: they are answered and stored with all their fields."""

from __future__ import annotations

import dataclasses

import pytest

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App


@dataclasses.dataclass
class Place:
    city: str
    country: str = "at"


@dataclasses.dataclass
class Shop:
    name: str
    place: Place
    id: int | None = None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_what_a_dataclass_has_by_default_is_answered_too(method: str) -> None:
    app, store = App("shops"), MemoryStore()
    app.resource(store=store, path="/shops")(Shop)
    store.rows = {7: Shop("x", Place("Linz"), 7)}
    async with served(app) as it:
        path = "/shops" if method == "POST" else "/shops/7"
        body = {"name": "x", "place": {"city": "Graz"}}
        answer = await it.http.request(method, path, json=body)
        stored = await it.http.get(f"/shops/{answer.json()['id']}")
    assert answer.json()["place"] == stored.json()["place"] == {"city": "Graz", "country": "at"}
