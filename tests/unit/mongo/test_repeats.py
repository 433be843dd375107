"""A request with an idempotency key that ended between the document and its answer is repeated: there is one document."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from tests.unit.http.resources.serving import Served, served
from worker import App, Hook
from worker.resources import Documents
from worker.settings.model import DocumentsSettings


class Note(msgspec.Struct, kw_only=True):
    id: str
    title: str
    count: int = 0
    version: int


class Place(msgspec.Struct, kw_only=True):
    id: uuid.UUID
    name: str


class Lost(Exception):
    """Stands for the death of a process right after it has stored."""


@asynccontextmanager
async def notes(mongo_url: str, dies: list[str]) -> AsyncIterator[Served]:
    """While ``dies`` has a method, the next request of it ends right after it has stored."""
    app = App("notes")
    app.resource(store=Documents("notes", version="version"))(Note)
    app.resource(store=Documents("places"))(Place)

    @app.listener(Hook.POST_WRITE)
    async def die(event: Any) -> None:
        if event.operation.method in dies:
            dies.remove(event.operation.method)
            raise Lost

    async with served(app, settings={"documents": DocumentsSettings(url=mongo_url)}) as it:
        yield it


KEY = {"idempotency-key": "k1"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/notes", {"title": "Dune"}),
        ("/places", {"name": "Arrakis"}),
        ("/notes", {"title": "Dune", "id": "dune"}),
    ],
    ids=["an id that is made", "a UUID that is made", "an id of the client's"],
)
async def test_a_document_that_was_stored_is_found_by_the_repeat(
    mongo_url: str, path: str, body: dict[str, Any]
) -> None:
    async with notes(mongo_url, ["POST"]) as it:
        assert (await it.http.post(path, json=body, headers=KEY)).status_code == 500
        (stored,) = (await it.http.get(path)).json()["items"]
        again = await it.http.post(path, json=body, headers=KEY)
        assert (again.status_code, again.json()) == (201, stored), again.text
        assert again.headers["location"] == f"{path}/{stored['id']}"
        assert (await it.http.get(path)).json()["total"] == 1
        replayed = await it.http.post(path, json=body, headers=KEY)
        assert (replayed.headers["idempotency-replayed"], replayed.json()) == ("true", stored)
        other = await it.http.post(path, json=body, headers={"idempotency-key": "k2"})
        assert other.status_code == (409 if "id" in body else 201)


async def test_a_repeat_answers_with_the_document_as_others_have_changed_it(mongo_url: str) -> None:
    async with notes(mongo_url, ["POST"]) as it:
        await it.http.post("/notes", json={"title": "Dune"}, headers=KEY)
        (stored,) = (await it.http.get("/notes")).json()["items"]
        await it.http.patch(f"/notes/{stored['id']}", json={"count": 3})
        again = await it.http.post("/notes", json={"title": "Dune"}, headers=KEY)
        assert (again.status_code, again.json()) == (201, {**stored, "count": 3, "version": 2})


async def test_an_id_that_somebody_else_has_taken_is_taken_in_every_repeat(mongo_url: str) -> None:
    async with notes(mongo_url, []) as it:
        await it.http.post("/notes", json={"title": "Emma", "id": "dune"})
        for _ in range(2):
            answer = await it.http.post("/notes", json={"title": "Dune", "id": "dune"}, headers=KEY)
            assert answer.status_code == 409
        assert (await it.http.get("/notes/dune")).json()["title"] == "Emma"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("versioned", [True, False])
async def test_a_change_that_was_stored_is_not_made_again(
    mongo_url: str, method: str, versioned: bool
) -> None:
    async with notes(mongo_url, [method]) as it:
        note = (await it.http.post("/notes", json={"title": "Dune"})).json()
        path = f"/notes/{note['id']}"
        body = {"title": "Emma", "count": 3, **({"version": 1} if versioned else {})}
        assert (await it.http.request(method, path, json=body, headers=KEY)).status_code == 500
        again = await it.http.request(method, path, json=body, headers=KEY)
        assert again.status_code == 200, again.text
        assert again.json() == {"id": note["id"], "title": "Emma", "count": 3, "version": 2}
        stale = await it.http.request(
            method, path, json={**body, "version": 1}, headers={"idempotency-key": "k2"}
        )
        assert stale.status_code == 409


async def test_a_stale_change_stays_stale_in_every_repeat(mongo_url: str) -> None:
    async with notes(mongo_url, []) as it:
        note = (await it.http.post("/notes", json={"title": "Dune"})).json()
        path = f"/notes/{note['id']}"
        await it.http.patch(path, json={"title": "Emma"})
        for _ in range(2):
            answer = await it.http.patch(path, json={"count": 1, "version": 1}, headers=KEY)
            assert answer.status_code == 409
