"""The whole way of a message: middleware, handlers, their transaction and what leaves with it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from worker import App, Context, Retry, TransportUnavailable
from worker.messaging.sender import Sender
from worker.testing import TestWorker


class Go(msgspec.Struct, frozen=True):
    number: int = 0


class Follow(msgspec.Struct, frozen=True):
    number: int = 0


class Gone(msgspec.Struct, frozen=True):
    number: int = 0


class Count(msgspec.Struct, frozen=True):
    pass


def shop(*handlers: Any, plugins: tuple[str, ...] = ()) -> App:
    app = App("shop", plugins=plugins)
    app.command(many_handlers=True, retry=Retry(2, 1.0, jitter=0))(Go)
    app.command(Follow)
    app.event(Gone)
    app.query(Count)
    for handler in handlers:
        app.handler(handler)

    @app.handler
    async def follow(command: Follow) -> None: ...

    @app.subscriber
    async def hear(event: Gone) -> None: ...

    @app.handler
    async def count(query: Count, context: Context) -> int:
        found = await context.session.execute(text("SELECT count(*) FROM worker_test_rows"))
        return int(found.scalar_one())

    return app


async def write(context: Context) -> None:
    await context.session.execute(text("CREATE TABLE IF NOT EXISTS worker_test_rows (n INTEGER)"))
    await context.session.execute(text("INSERT INTO worker_test_rows VALUES (1)"))


@pytest.mark.parametrize("touches", [True, False])
async def test_what_is_noted_leaves_only_upon_success(touches: bool) -> None:
    """Events and commands of a failed attempt are not sent; those of the one that works are, once."""

    async def go(command: Go, context: Context) -> None:
        if touches:
            await write(context)
        context.record(Gone(context.attempt))
        context.dispatch(Follow(context.attempt))
        if context.attempt == 1:
            raise OSError("no")

    async with TestWorker(shop(go)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert worker.sent(Gone) == []
        worker.clock.advance(1)
        await worker.run_until_idle()
        assert (worker.handled(Gone), worker.handled(Follow)) == ([Gone(2)], [Follow(2)])


async def test_a_failed_handler_leaves_nothing_in_the_database() -> None:
    """What an attempt wrote through ``context.session`` is rolled back when it fails, and kept once it works."""

    async def go(command: Go, context: Context) -> None:
        await write(context)
        if context.attempt == 1:
            raise OSError("no")

    async with TestWorker(shop(go)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        worker.clock.advance(1)
        await worker.run_until_idle()
        assert await worker.query(Count()) == 1


@pytest.mark.parametrize("touches", [True, False])
async def test_a_dispatched_command_can_be_delayed(touches: bool) -> None:
    """``dispatch(delay=)`` is handed out when that time has passed since the commit."""

    async def go(command: Go, context: Context) -> None:
        if touches:
            await write(context)
        context.dispatch(Follow(), delay=30)

    async with TestWorker(shop(go)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        worker.clock.advance(29)
        await worker.run_until_idle()
        assert worker.handled(Follow) == []
        worker.clock.advance(1)
        await worker.run_until_idle()
        assert worker.handled(Follow) == [Follow()]


async def test_a_retry_runs_only_what_is_unfinished() -> None:
    """Of two handlers the second fails: the first's row and event are there once, the retry runs the second."""
    ran: list[str] = []

    async def first(command: Go, context: Context) -> None:
        ran.append("first")
        await write(context)
        context.record(Gone(1))

    async def second(command: Go, context: Context) -> None:
        ran.append("second")
        await write(context)
        if context.attempt == 1:
            raise OSError("no")

    async with TestWorker(shop(first, second)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        worker.clock.advance(1)
        await worker.run_until_idle()
        assert ran == ["first", "second", "second"]
        assert worker.handled(Gone) == [Gone(1)]
        assert await worker.query(Count()) == 2


async def test_middleware_stands_where_it_was_declared() -> None:
    """``on``, ``bus``, ``messages``, ``when`` and ``plugin`` choose where a middleware runs; higher is outer."""
    seen: list[str] = []

    async def go(command: Go) -> None:
        seen.append("handler")

    app = shop(go, plugins=("audit",))

    def declare(name: str, **options: Any) -> None:
        async def step(envelope: Any, call_next: Any) -> Any:
            seen.append(name)
            return await call_next(envelope)

        app.middleware(**options)(step)

    declare("dispatch", on="dispatch")
    declare("inner", on="consume", priority=1)
    declare("outer", on="consume", priority=9)
    declare("never: event", bus="event")
    declare("never: other type", messages=[Follow])
    declare("first attempt", on="consume", when={"attempt": 1})
    declare("never: attempt", on="consume", when={"attempt": 2})
    declare("plugin", on="consume", plugin="audit")
    declare("never: plugin", plugin="off")
    async with TestWorker(app) as worker:
        await worker.send(Go())
        assert seen == ["dispatch"]
        seen.clear()
        await worker.run_until_idle()
    assert seen == ["outer", "inner", "first attempt", "plugin", "handler"]


async def test_a_middleware_that_goes_no_further_counts_as_handled() -> None:
    """Not calling ``call_next`` while consuming drops the message: it is acked and done."""

    async def go(command: Go) -> None:
        raise AssertionError

    app = shop(go)

    @app.middleware(on="consume", messages=[Go])
    async def drop(envelope: Any, call_next: Any) -> Any:
        return envelope

    async with TestWorker(app) as worker:
        envelope = await worker.send(Go())
        await worker.run_until_idle()
        assert worker.handled(Go) == [Go()]
        assert worker.failed() == []
        assert (await worker.status(envelope.id)).status == "done"


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("answers", [True, False])
async def test_what_a_query_records_leaves_and_its_answer_does_not_hang_on_it(
    reads: bool, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It changed nothing that could be lost: a broker that is away keeps its event, not its answer."""

    class Ask(msgspec.Struct, frozen=True):
        pass

    async def go(command: Go) -> None: ...

    app = shop(go)
    app.query(Ask)

    @app.handler
    async def ask(query: Ask, context: Context) -> str:
        if reads:
            await context.session.execute(text("SELECT 1"))
        context.record(Gone(7))
        return "answer"

    async def away(sender: Sender, batch: object) -> None:
        raise TransportUnavailable("nobody there")

    if not answers:
        monkeypatch.setattr(Sender, "send_all", away)
    async with TestWorker(app) as worker:
        assert await worker.query(Ask()) == "answer"
        assert worker.sent(Gone) == ([Gone(7)] if answers else [])


async def test_what_a_query_recorded_before_it_failed_stays() -> None:
    """As with commands."""

    class Ask(msgspec.Struct, frozen=True):
        pass

    async def go(command: Go) -> None: ...

    app = shop(go)
    app.query(Ask)

    @app.handler
    async def ask(query: Ask, context: Context) -> str:
        context.record(Gone(7))
        raise LookupError("nothing")

    async with TestWorker(app) as worker:
        with pytest.raises(LookupError):
            await worker.query(Ask())
        assert worker.sent(Gone) == []
