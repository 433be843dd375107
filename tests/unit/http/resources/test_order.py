"""Messages of one key are handled in the order in which their requests were answered, whichever way they leave."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.unit.http.resources.serving import served
from worker import App, Context, Delete, Get, Patch, Post, Put, Requested
from worker.resources import MessengerProcessor, PersistProcessor


def shelf(**options: Any) -> tuple[App, list[tuple[str, int]]]:
    """Books whose changes are stored and sent; what else is done to them is only sent."""

    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "books"
        id: Mapped[int] = mapped_column(primary_key=True)
        year: Mapped[int] = mapped_column(default=0)

    app, handled = App("shelf"), []
    operations = [Post(), Get(), Patch(processor="Both"), Put(messenger=True), Delete(messenger=True)]
    operations += [Post("/announced", name="announced", messenger=True)]
    operations += [Patch("/books/{id}/year", name="year", messenger=True)]
    app.resource(operations=operations)(Book)
    app.command(**options)(Book)

    @app.processor
    class Both:
        def __init__(self, persist: PersistProcessor, messenger: MessengerProcessor) -> None:
            self._persist, self._messenger = persist, messenger

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            stored = await self._persist.process(data, operation, uri_variables, context)
            await self._messenger.process(stored, operation, uri_variables, context)
            return stored

    async def handle(book: Any, context: Context) -> None:
        handled.append((context.envelope.get(Requested).method, book.year))

    handle.__annotations__["book"] = Book
    app.handler(handle)
    return app, handled


async def test_what_is_only_sent_does_not_overtake_what_left_with_a_commit() -> None:
    app, handled = shelf(key="id")
    async with served(app) as it:
        await it.http.post("/books", json={})
        for year in (1, 2):
            assert (await it.http.patch("/books/1", json={"year": year})).status_code == 200
        put = await it.http.put("/books/1", json={"year": 3})
        assert (put.status_code, put.json()["year"]) == (200, 3)
        assert 'rel="status"' in put.headers["link"]
        assert (await it.http.delete("/books/1")).status_code == 204
        assert (await it.http.post("/announced", json={"id": 1, "year": 4})).status_code == 201
        patched = await it.http.patch("/books/1/year", json={"year": 5})
        assert (patched.status_code, patched.json()["year"]) == (200, 5)
        assert (await it.http.get("/books/1")).json()["year"] == 2  # what is only sent changes nothing
        await it.worker.run_until_idle()
    assert handled == [("PATCH", 1), ("PATCH", 2), ("PUT", 3), ("DELETE", 2), ("POST", 4), ("PATCH", 5)]


async def test_a_repeat_with_the_same_key_of_idempotency_sends_nothing_again() -> None:
    app, handled = shelf(key="id")
    async with served(app) as it:
        await it.http.post("/books", json={})
        for _ in range(2):
            answer = await it.http.delete("/books/1", headers={"idempotency-key": "k"})
            assert answer.status_code == 204
        await it.worker.run_until_idle()
    assert handled == [("DELETE", 0)]


@pytest.mark.parametrize("inline", [False, True])
async def test_without_a_key_or_inline_nothing_waits_for_the_outbox(inline: bool) -> None:
    app, handled = shelf(**({"key": "id"} if inline else {}))
    async with served(app, routing={"*": "inline"} if inline else None) as it:
        await it.http.post("/books", json={})
        assert (await it.http.delete("/books/1")).status_code == 204
        if inline:
            assert handled == [("DELETE", 0)]
        else:
            assert len(it.worker._sent) == 1


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/books/1"), ("PUT", "/books/1"), ("POST", "/announced")]
)
async def test_what_is_too_large_for_its_broker_is_413_and_changes_nothing(method: str, path: str) -> None:
    """Nothing is committed of which the message could only go to the failure store."""
    app, handled = shelf(key="id")
    async with served(app) as it:
        await it.http.post("/books", json={})
        [transport] = it.worker._open().brokers.transports.values()
        transport.features = msgspec.structs.replace(transport.features, max_bytes=50)  # type: ignore[misc]
        answer = await it.http.request(method, path, json={"year": 1})
        assert answer.status_code == 413
        assert "the limit is 50" in answer.json()["detail"]
        assert (await it.http.get("/books/1")).json()["year"] == 0
        await it.worker.run_until_idle()
        assert it.worker.failed() == []
    assert handled == []
