"""Identifiers that no store can have, or no address can lead to, are refused or not found: never an internal error."""

from __future__ import annotations

import random
import string
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.unit.http.resources.serving import Served, served
from worker import App, Delete, Get, GetCollection, Patch, Post, Put
from worker.resources import Documents
from worker.settings import DatabaseSettings
from worker.settings.model import DocumentsSettings, ResourcesSettings

OPERATIONS = (
    Post(),
    Get(),
    GetCollection(filters={"id": "exact"}),
    Put(allow_create=True),
    Patch(),
    Delete(),
)

LETTERS = "a" * 900_000
WRONG = {
    "empty": "",
    "NUL": "\0",
    "NUL inside": "a\0b",
    "this place": ".",
    "the place above": "..",
    "long": LETTERS[:8_001],
    "longer than an address": LETTERS[:70_000],
    "as long as a body": LETTERS,
}


def mapped() -> App:
    class Base(DeclarativeBase): ...

    class Tag(Base):
        __tablename__ = "tags"
        id: Mapped[str] = mapped_column(primary_key=True)
        note: Mapped[str | None]

    class Code(Base):
        __tablename__ = "codes"
        id: Mapped[str] = mapped_column(String(8), primary_key=True)
        note: Mapped[str | None]

    app = App("shop")
    app.resource(operations=list(OPERATIONS))(Tag)
    app.resource(operations=list(OPERATIONS))(Code)
    return app


def documents() -> App:
    app = App("shop")

    class Tag(msgspec.Struct, kw_only=True):
        id: str
        note: str | None = None

    app.resource(store=Documents("tags"), operations=list(OPERATIONS))(Tag)
    app.resource(store=Documents("codes"), operations=list(OPERATIONS), name="Code", path="/codes")(
        msgspec.defstruct("Code", [("id", str), ("note", str | None, None)], kw_only=True)
    )
    return app


@pytest.fixture(
    params=["sqlite", *(pytest.param(name, marks=pytest.mark.broker) for name in ("postgres", "mongo"))]
)
async def it(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    settings: dict[str, Any] = {"resources": ResourcesSettings(create_tables=True)}
    app = mapped()
    if request.param == "postgres":
        settings["database"] = DatabaseSettings(url=request.getfixturevalue("postgres_url"))
    elif request.param == "mongo":
        settings["documents"] = DocumentsSettings(url=request.getfixturevalue("mongo_url"))
        app = documents()
    async with served(app, settings=settings) as served_app:
        yield served_app


async def test_an_identifier_that_cannot_be_is_refused_or_not_found(it: Served) -> None:
    for path in ("/tags", "/codes"):
        for name, id in WRONG.items():
            made = await it.http.post(path, json={"id": id})
            assert (made.status_code, made.json()["errors"][0]["pointer"]) == (422, "/id"), (
                name,
                made.text[:300],
            )
            here = f"{path}/{quote(id, safe='')}"
            if len(here) > 60_000 or id in {".", ".."}:
                continue  # clients ask for something else, or not at all
            put = await it.http.put(here, json={})
            others = [await it.http.get(here), await it.http.patch(here, json={}), await it.http.delete(here)]
            assert put.status_code in {404, 422}, (name, put.text[:300])
            assert [other.status_code for other in others] == [404] * 3, name
        assert (await it.http.get(path)).json()["total"] == 0


async def test_what_is_no_text_is_no_body_and_what_is_odd_is_an_identifier(it: Served) -> None:
    half = await it.http.post("/tags", content=b'{"id":"\\ud800"}')
    assert half.status_code == 400
    for id in ("...", " ", "a\nb", "é" * 100, "x" * 2_000):
        made = await it.http.post("/tags", json={"id": id})
        assert made.status_code == 201, made.text
        assert (await it.http.get(made.headers["location"])).json()["id"] == id
    long = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=7_000))
    made = await it.http.post("/tags", json={"id": long})  # what an index of PostgreSQL does not take
    if made.status_code != 201:
        assert (made.status_code, made.json()["errors"][0]["pointer"]) == (422, "/id"), made.text[:300]
    put = await it.http.put(f"/tags/{long}", json={})
    assert put.status_code == (200 if made.status_code == 201 else 422), put.text[:300]
