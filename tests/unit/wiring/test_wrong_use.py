"""Wrong use in a handler: said where it happens, not retried, nothing leaves, and the failure store tells what it was."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from tests.unit.kit import Find, Follow, Go, Gone, heard, shop
from worker import Context, UnknownType, UsageError
from worker.testing import TestWorker


def record_a_command(context: Context) -> None:
    context.record(Follow())


def dispatch_an_event(context: Context) -> None:
    context.dispatch(Gone())


def dispatch_a_query(context: Context) -> None:
    context.dispatch(Find("it"))


def dispatch_what_does_not_fit(context: Context) -> None:
    context.dispatch(Follow("seven"))  # type: ignore[arg-type]


def record_a_class(context: Context) -> None:
    context.record(Gone)


def record_nothing(context: Context) -> None:
    context.record(None)


def dispatch_a_stranger(context: Context) -> None:
    context.dispatch(object())


WRONG = [
    record_a_command, dispatch_an_event, dispatch_a_query, dispatch_what_does_not_fit, record_a_class, record_nothing,
    dispatch_a_stranger,
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda it: it.__name__)
@pytest.mark.parametrize("plain", [False, True], ids=["async def", "def"])
async def test_what_may_not_be_sent_fails_the_message_at_once(wrong: Any, plain: bool) -> None:
    """One attempt, one failed message, and the event that was recorded before it does not leave."""
    attempts: list[int] = []

    async def go(command: Go, context: Context) -> None:
        attempts.append(context.attempt)
        context.record(Gone(1))
        wrong(context)

    def go_plainly(command: Go, context: Context) -> None:
        attempts.append(context.attempt)
        context.record(Gone(1))
        wrong(context)

    app = shop(go_plainly if plain else go)
    events = heard(app)
    async with TestWorker(app) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        worker.clock.advance(3600)
        await worker.run_until_idle()
        assert (attempts, events, worker.sent(Follow)) == ([1], [], [])
        (failed,) = worker.failed()
        assert failed.error.type == "UsageError"


async def as_a_context(context: Context) -> None:
    async with context.session as session:
        await session.execute(text("CREATE TABLE kept (name TEXT)"))


async def by_a_statement(context: Context) -> None:
    await context.session.execute(text("CREATE TABLE kept (name TEXT)"))
    await context.session.execute(text("END"))


async def closed(context: Context) -> None:
    await context.session.execute(text("CREATE TABLE kept (name TEXT)"))
    await context.session.close()


async def committed_and_caught(context: Context) -> None:
    await context.session.execute(text("CREATE TABLE kept (name TEXT)"))
    try:
        await context.session.commit()
    except UsageError:
        context.log.info("never mind")


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (as_a_context, "async with context.session"),
        (by_a_statement, "END on context.session"),
        (closed, "close()"),
        (committed_and_caught, "commit()"),
    ],
)
async def test_a_handler_that_ends_its_transaction_fails_at_once(ends: Any, told: str) -> None:
    """What it wrote is gone, what it recorded does not leave, and the failure store says what was wrong."""
    attempts: list[int] = []
    kept: list[int] = []

    async def go(command: Go, context: Context) -> None:
        attempts.append(context.attempt)
        context.record(Gone(1))
        await ends(context)

    app = shop(go)
    events = heard(app)

    @app.command
    class Look(msgspec.Struct, frozen=True):
        pass

    @app.handler
    async def look(command: Look, context: Context) -> None:
        found = await context.session.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 'kept'"))
        kept.append(found.scalar_one())

    async with TestWorker(app) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        worker.clock.advance(3600)
        await worker.send(Look())
        await worker.run_until_idle()
        assert (attempts, events, kept) == ([1], [], [0])
        (failed,) = worker.failed()
        assert failed.error.type == "UsageError" and told in failed.error.message


async def test_a_session_in_a_plain_function_is_refused() -> None:
    """In a thread its statements could not be awaited."""

    def go(command: Go, context: Context) -> None:
        context.session.execute("INSERT")

    async with TestWorker(shop(go)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        (failed,) = worker.failed()
        assert failed.error.type == "UsageError"
        assert "write async def" in failed.error.message


async def test_a_session_behind_a_plain_wrapper_of_an_async_handler_is_given() -> None:
    """What is awaited on the loop may use it, however it was decorated."""

    async def inner(command: Go, context: Context) -> None:
        await context.session.connection()

    def go(command: Go, context: Context) -> Any:
        return inner(command, context)

    async with TestWorker(shop(go)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert worker.failed() == []


@pytest.mark.parametrize("use", [
    lambda context: context.record(Gone(1)), lambda context: context.dispatch(Follow()), lambda context: context.session,
], ids=["record", "dispatch", "session"])  # fmt: skip
@pytest.mark.parametrize("fails", [False, True], ids=["done", "failed"])
async def test_a_context_is_of_no_use_after_its_handler(use: Any, fails: bool) -> None:
    """A task that a handler left behind hears that it is too late, in place of being ignored."""
    kept: list[Context] = []

    async def go(command: Go, context: Context) -> None:
        kept.append(context)
        if fails:
            raise ValueError

    async with TestWorker(shop(go, retry=None)) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        with pytest.raises(UsageError, match="the handler has ended"):
            use(kept[0])
        assert (worker.sent(Gone), worker.sent(Follow)) == ([], [])


async def test_a_query_dispatches_nothing() -> None:
    """It answers and changes nothing, and asks for no change; an event that it was asked may leave."""
    app = shop()

    @app.handler
    async def go(command: Go) -> None: ...

    asked: list[Exception] = []

    @app.query
    class Ask(Find, frozen=True):
        pass

    @app.handler
    async def ask(query: Ask, context: Context) -> None:
        for send in (lambda: context.record(Follow()), lambda: context.dispatch(Follow())):
            try:
                send()
            except UsageError as error:
                asked.append(error)

    async with TestWorker(app) as worker:
        await worker.query(Ask("it"))
        assert len(asked) == 2 and (worker.sent(Gone), worker.sent(Follow)) == ([], [])


async def test_the_test_kit_refuses_what_a_consumer_could_not_read() -> None:
    """Where it is sent; a class or a message of another kind is unknown to the bus."""

    async def go(command: Go) -> None: ...

    async with TestWorker(shop(go)) as worker:
        with pytest.raises(UsageError, match="/number: expected int, got str"):
            await worker.send(Go("seven"))  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="/word: expected str, got int"):
            await worker.query(Find(7))  # type: ignore[arg-type]
        with pytest.raises(
            UnknownType, match=r"^the class Go itself was given; expected a message of it: Go\(…\)"
        ):
            await worker.send(Go)
        for other in (Find("it"), None):
            with pytest.raises(UnknownType):
                await worker.send(other)
