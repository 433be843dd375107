"""Context variables of one message are not seen by the next one, whatever code set them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context as Variables
from contextvars import ContextVar, copy_context
from typing import Any

import msgspec
import pytest
from structlog.contextvars import bind_contextvars, get_contextvars

from tests.unit.runtime.house import house
from worker import App, Context
from worker.messaging.own_context import OwnContext
from worker.testing import TestWorker

tenant: ContextVar[Any] = ContextVar("tenant", default=None)


class Go(msgspec.Struct, frozen=True):
    number: int = 0


class Asked(msgspec.Struct, frozen=True):
    pass


class Later(msgspec.Struct, frozen=True):
    pass


class Odd:
    """A value that cannot be compared."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise SystemExit(1)


async def numbered(app: App, count: int = 70, **options: Any) -> None:
    """Handle many messages in few slots."""
    async with house(app) as it:
        await it.send(*(Go(number) for number in range(count)))
        await it.run(burst=True, **options)
        assert it.outcomes() == ["done"] * count


@pytest.mark.parametrize("value", ["a", Odd()])
@pytest.mark.parametrize("waits", [False, True])
async def test_a_handlers_variables_end_with_its_message(value: Any, waits: bool) -> None:
    """Also where it never waited and the next message starts at once in the same turn."""
    app, seen = App("shop"), []
    app.command(Go)

    @app.handler
    async def go(command: Go) -> None:
        seen.append((tenant.get(), get_contextvars()))
        tenant.set(value)
        bind_contextvars(number=command.number)
        if waits:
            await asyncio.sleep(0)

    await numbered(app, concurrency=2)
    assert seen == [(None, {})] * 70


async def test_a_plain_functions_variables_end_with_it() -> None:
    """Its context is a copy."""
    app, seen = App("shop"), []
    app.command(Go)

    @app.handler
    def go(command: Go) -> None:
        seen.append(tenant.get())
        tenant.set("a")

    await numbered(app, 5)
    assert seen == [None] * 5


async def test_a_middlewares_variables_reach_its_own_message_only() -> None:
    """The handler behind it sees them; the next message does not."""
    app, seen = App("shop"), []
    app.command(Go)

    @app.middleware(on="consume")
    async def named(envelope: Any, call_next: Any) -> Any:
        seen.append(tenant.get())
        tenant.set(envelope.message.number)
        return await call_next(envelope)

    @app.handler
    async def go(command: Go) -> None:
        seen.append(tenant.get())

    await numbered(app, 3)
    assert seen == [None, 0, None, 1, None, 2]


async def test_variables_set_before_the_worker_are_seen_by_every_message() -> None:
    """They belong to the process."""
    app, seen = App("shop"), []
    app.command(Go)

    @app.handler
    async def go(command: Go) -> None:
        seen.append(tenant.get())
        tenant.set("other")

    token = tenant.set("process")
    await numbered(app, 3)
    tenant.reset(token)
    assert seen == ["process"] * 3


async def test_a_slot_whose_variables_were_left_alone_goes_on_as_it_is() -> None:
    """What was set and taken back costs no new task."""
    app, tasks = App("shop"), set()
    app.command(Go)

    @app.handler
    async def go(command: Go) -> None:
        tasks.add(asyncio.current_task())
        token = tenant.set("a")
        tenant.reset(token)

    await numbered(app, 40, concurrency=1)
    assert len(tasks) == 1


async def test_a_queue_whose_messages_set_variables_takes_turns_like_any_other() -> None:
    """Only the first such message ends its slot's turn: the settlements of the others still share their batches."""
    app, tasks = App("shop"), set()
    app.command(Go)

    @app.handler
    async def go(command: Go) -> None:
        tasks.add(asyncio.current_task())
        tenant.set(command.number)

    await numbered(app, 40, concurrency=1)
    assert len(tasks) == 2


async def test_handlers_of_one_message_do_not_see_each_others_variables() -> None:
    """Each has a context of its own; it waits, is cancelled and ends in its slot's task all the same."""
    app, seen, tasks = App("shop"), [], set()
    app.command(many_handlers=True)(Go)

    async def handle() -> None:
        tasks.add(asyncio.current_task())
        seen.append(tenant.get())
        tenant.set("a")
        await asyncio.sleep(0)
        assert tenant.get() == "a"

    @app.handler
    async def first(command: Go) -> None:
        await handle()

    @app.handler
    async def second(command: Go) -> None:
        await handle()

    await numbered(app, 1)
    assert seen == [None, None]
    assert len(tasks) == 1


async def test_what_is_handled_at_once_leaves_no_variables_with_who_sent_it() -> None:
    """Neither an inline command, nor a query, nor an inline command after a commit."""
    app, seen = App("shop"), []
    app.command(Go)
    app.command(transport="inline")(Later)
    app.query(Asked)

    def note() -> None:
        seen.append(tenant.get())
        tenant.set("a")

    @app.handler
    async def later(command: Later) -> None:
        note()

    @app.handler
    async def asked(query: Asked) -> None:
        note()

    @app.handler
    async def go(command: Go, context: Context) -> None:
        context.dispatch(Later())
        context.dispatch(Later())

    async with TestWorker(app) as worker:
        for call in (worker.send(Later()), worker.query(Asked()), worker.send(Go())):
            await call
            assert tenant.get() is None
        await worker.run_until_idle()
    assert seen == [None] * 4


async def steps(log: list[Any]) -> str:
    tenant.set("a")
    try:
        await asyncio.sleep(0)
        log.append(tenant.get())
        await asyncio.Event().wait()
    except BaseException as error:
        log.append((type(error), tenant.get()))
        raise
    return "never"


@pytest.mark.parametrize("end", [asyncio.CancelledError, TimeoutError])
async def test_a_call_in_a_context_of_its_own_is_cancelled_like_any_other(end: type[BaseException]) -> None:
    """It is the same task, and the variables are there to the end."""
    log: list[Any] = []

    async def outer() -> None:
        if end is TimeoutError:
            async with asyncio.timeout(0.001):
                await OwnContext(steps(log))
        else:
            await OwnContext(steps(log))

    task = asyncio.create_task(outer())
    if end is asyncio.CancelledError:
        while not log:
            await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(end):
        await task
    assert log == ["a", (asyncio.CancelledError, "a")]
    assert task.get_coro() is not None
    assert tenant.get() is None


async def test_a_call_in_a_context_of_its_own_returns_and_raises() -> None:
    """Its result and its error come out as they are."""

    async def returning() -> int:
        tenant.set("a")
        await asyncio.sleep(0)
        return 7

    async def raising() -> None:
        raise ValueError("x")

    assert await OwnContext(returning()) == 7
    with pytest.raises(ValueError, match="x"):
        await OwnContext(raising())
    assert tenant.get() is None


def test_two_copies_of_a_context_are_equal_without_a_look_at_their_values() -> None:
    """What the check after each message rests on: Python compares the trees first."""

    def check() -> None:
        tenant.set(Odd())
        assert copy_context() == copy_context()

    run: Callable[..., Any] = Variables().run
    run(check)
