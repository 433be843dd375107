"""A request ends in time, whatever its listeners, steps, processors and providers wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.unit.http.resources.memory_store import MemoryStore
from tests.unit.http.resources.serving import served
from worker import App, Get, HandlerTimeout, Hook, Post
from worker.resources import PersistProcessor
from worker.resources.limited import unbroken


class Book(msgspec.Struct):
    title: str
    id: int | None = None


async def for_ever(*_: Any) -> None:
    await asyncio.Event().wait()


def listener(app: App) -> None:
    app.listener(Hook.PRE_WRITE)(for_ever)


def step(app: App) -> None:
    app.step(action="create", group="request", priority=50)(for_ever)


def response_listener(app: App) -> None:
    app.listener("response", priority=5)(for_ever)


def processor(app: App) -> None:
    @app.processor(supports=lambda data, operation: True)
    class Waiting:
        async def process(self, *_: Any) -> None:
            await for_ever()


@pytest.mark.parametrize("waits", [listener, step, response_listener, processor])
@pytest.mark.parametrize("whose", ["operation", "resource"])
async def test_what_waits_for_ever_ends_its_request_and_no_other(
    waits: Callable[[App], None], whose: str
) -> None:
    app, store = App("library"), MemoryStore()
    # what stands before the response's listeners must come to its end, on a machine that does much else
    timeout = {"timeout": 1.0 if waits is response_listener else 0.01}
    of_operation, of_resource = (timeout, {}) if whose == "operation" else ({}, timeout)
    app.resource(store=store, operations=[Post(**of_operation), Get(timeout=60)], **of_resource)(Book)
    waits(app)
    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "x"})
    assert answer.status_code == 500, answer.text
    assert len(store.rows) == (waits is response_listener)


async def test_a_provider_and_a_plain_function_are_waited_for_no_longer() -> None:
    app, done = App("library"), threading.Event()
    app.resource(operations=[Get(provider="Waiting", timeout=0.01), Post(timeout=0.01)])(Book)

    @app.provider
    class Waiting:
        async def provide(self, *_: Any) -> None:
            await for_ever()

    @app.listener(Hook.PRE_WRITE)
    def wait(event: Any) -> None:
        if event.operation.method == "POST":
            done.wait()

    async with served(app) as it:
        assert (await it.http.get("/books/1")).status_code == 500
        assert (await it.http.post("/books", json={"title": "x"})).status_code == 500
        done.set()


async def test_errors_say_the_status_of_what_took_too_long() -> None:
    app = App("library")
    app.resource(operations=[Post(timeout=0.01, errors={HandlerTimeout: 503})])(Book)
    listener(app)
    async with served(app) as it:
        answer = await it.http.post("/books", json={"title": "x"})
    assert (answer.status_code, answer.json()["detail"]) == (503, "book_create ran longer than 0.01 s")


async def test_a_timeout_of_the_applications_own_is_an_error_of_its_own() -> None:
    app = App("library")
    app.resource(operations=[Post(timeout=60, errors={HandlerTimeout: 503})])(Book)

    @app.listener(Hook.PRE_WRITE)
    async def own(event: Any) -> None:
        raise TimeoutError

    async with served(app) as it:
        assert (await it.http.post("/books", json={"title": "x"})).status_code == 500


async def test_what_was_not_committed_is_undone_and_others_can_write() -> None:
    class Base(DeclarativeBase):
        pass

    class Page(Base):
        __tablename__ = "pages"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]

    app = App("library")
    app.resource(
        operations=[Post(timeout=5.0), Post("/slow", name="slow", timeout=0.3, processor="Waiting"), Get()]
    )(Page)

    @app.processor
    class Waiting:
        def __init__(self, persist: PersistProcessor) -> None:
            self._persist = persist

        async def process(self, data: Any, operation: Any, uri_variables: Any, context: Any) -> Any:
            await self._persist.process(data, operation, uri_variables, context)
            await for_ever()

    async with served(app) as it:
        key = {"idempotency-key": "k"}
        for _ in range(2):
            slow = await it.http.post("/slow", json={"title": "slow"}, headers=key)
            assert slow.status_code == 500, slow.text
        quick = await it.http.post("/pages", json={"title": "quick"})
        assert (quick.status_code, quick.json()["id"]) == (201, 1)


async def test_what_must_not_be_left_half_done_is_done_first() -> None:
    done: list[str] = []

    async def commit() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        done.append("committed")

    task = asyncio.ensure_future(unbroken(commit()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["committed"]
