"""The test kit: queries, threads, timeouts, slots and the application's own transports."""

from __future__ import annotations

import asyncio
import threading
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from sqlalchemy import text

from tests.unit.kit import Find, Follow, Go, Gone, heard, shop
from worker import App, Context, NotFound, Post, Reject, Retry, UnknownType
from worker.testing import TestWorker


async def test_what_is_not_declared_is_refused() -> None:
    """Sending or asking what the application does not declare names it."""

    async def go(command: Go) -> None: ...

    async with TestWorker(shop(go)) as worker:
        with pytest.raises(UnknownType):
            await worker.send(object())
        with pytest.raises(UnknownType):
            await worker.query(Go())
        with pytest.raises(NotFound):
            await worker.status("nobody")


async def test_queries_are_answered_at_once() -> None:
    """``query`` gives the handler's answer or raises what the handler raised."""

    async def go(command: Go) -> None: ...

    async with TestWorker(shop(go)) as worker:
        assert await worker.query(Find("word")) == "WORD"
        with pytest.raises(LookupError, match="lost"):
            await worker.query(Find("lost"))


async def test_what_the_service_answers_over_http_is_asked_in_memory() -> None:
    """Resources, commands and queries, by any client of ASGI applications; what is queued is handled as ever."""

    async def go(command: Go) -> None: ...

    app = shop(go)

    @app.resource(messenger=True, operations=[Post(status=202, output=False)])
    class Wish(msgspec.Struct):
        text: Annotated[str, msgspec.Meta(min_length=1)]

    @app.handler
    async def grant(wish: Wish) -> None: ...

    async with TestWorker(app) as worker:
        transport = httpx.ASGITransport(worker.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.post("/wishes", json={"text": ""})).status_code == 422
            assert (await http.post("/wishes", json={"text": "rain"})).status_code == 202
            assert (await http.get("/queries/Find?word=word")).json() == "WORD"
        await worker.run_until_idle()
        assert worker.handled(Wish) == [Wish("rain")]


async def test_plain_functions_run_in_threads() -> None:
    """A handler that is no coroutine runs outside the loop's thread and may record too."""
    threads: list[threading.Thread] = []

    def go(command: Go, context: Context) -> None:
        threads.append(threading.current_thread())
        context.record(Gone(1))

    app = shop(go)
    events = heard(app)
    async with TestWorker(app) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert threads[0] is not threading.current_thread()
        assert events == [Gone(1)]


async def test_a_handler_past_its_timeout_is_cancelled_and_retried() -> None:
    """``timeout`` ends a handler; that counts as a failed attempt."""
    cancelled: list[bool] = []

    async def go(command: Go) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async with TestWorker(shop(go, timeout=0.01, retry=Retry(max_retries=0))) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert cancelled == [True]
        (failed,) = worker.failed()
        assert failed.error is not None
        assert failed.error.type == "HandlerTimeout"


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_concurrency_is_kept(concurrency: int) -> None:
    """No more handlers run at once than ``concurrency`` says, and as many do where there is work."""
    running = most = 0

    async def go(command: Go) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running -= 1

    async with TestWorker(shop(go), concurrency=concurrency) as worker:
        for number in range(10):
            await worker.send(Go(number))
        await worker.run_until_idle()
        assert most == concurrency
        assert len(worker.handled(Go)) == 10


async def test_transports_that_declarations_name_are_there() -> None:
    """An application that names its brokers runs in memory without a change."""
    app = App("shop")
    app.command(transport="rabbit")(Go)
    app.command(transport="inline")(Follow)
    seen: list[Any] = []

    @app.handler
    async def go(command: Go, context: Context) -> None:
        seen.append(context.transport)

    @app.handler
    async def follow(command: Follow, context: Context) -> None:
        seen.append(context.transport)

    async with TestWorker(app) as worker:
        await worker.send(Go())
        await worker.send(Follow())
        assert seen == [None]
        await worker.run_until_idle()
        assert seen == [None, "rabbit"]


async def test_all_failures_are_shown() -> None:
    """``failed`` lists every failed message, however many there are."""

    async def go(command: Go) -> None:
        raise Reject("no")

    async with TestWorker(shop(go)) as worker:
        for number in range(60):
            await worker.send(Go(number))
        await worker.run_until_idle()
        assert len(worker.failed()) == 60


async def test_the_database_is_a_real_one_of_its_own() -> None:
    """Two test workers share nothing: each has a fresh database."""

    async def go(command: Go, context: Context) -> None:
        await context.session.execute(text("CREATE TABLE IF NOT EXISTS mine (number INTEGER)"))
        await context.session.execute(text("INSERT INTO mine VALUES (1)"))

    for _ in range(2):
        async with TestWorker(shop(go)) as worker:
            envelope = await worker.send(Go())
            await worker.run_until_idle()
            assert (await worker.status(envelope.id)).status == "done"
            assert worker.failed() == []


async def test_an_application_without_queues_is_idle() -> None:
    """Where nothing is queued there is nothing to run, and that is no fault."""
    app = App("shop")
    app.query(Find)

    @app.handler
    async def find(query: Find) -> str:
        return query.word

    async with TestWorker(app) as worker:
        await worker.run_until_idle()
        assert await worker.query(Find("a")) == "a"
