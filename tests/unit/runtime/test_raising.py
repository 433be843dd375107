"""Whatever application code raises is a failure of its message, and of nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.unit.runtime.house import house, until
from worker import App, Context, Retry
from worker.errors import AbruptEnd
from worker.testing import TestWorker


class Go(msgspec.Struct, frozen=True):
    number: int = 0


class Next(msgspec.Struct, frozen=True):
    number: int = 0


class Asked(msgspec.Struct, frozen=True):
    pass


class Happened(msgspec.Struct, frozen=True):
    pass


class Picky(msgspec.Struct, frozen=True):
    number: int = 0

    def __post_init__(self) -> None:
        if self.number < 0:
            raise SystemExit(4)


class Own(BaseException):
    """Neither an Exception nor one of Python's."""


def group() -> BaseException:
    """Members of every kind, nested."""
    inner = BaseExceptionGroup("inner", [KeyboardInterrupt(), ValueError("x")])
    return BaseExceptionGroup("outer", [SystemExit(3), inner, asyncio.CancelledError()])


RAISED: list[Callable[[], BaseException]] = [
    lambda: SystemExit(3),
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    Own,
    asyncio.CancelledError,
    group,
]
STOPS: list[Callable[[], BaseException]] = [StopIteration, StopAsyncIteration]

each = pytest.mark.parametrize("make", [*RAISED, *STOPS], ids=lambda make: type(make()).__name__)


def shop(**go: Any) -> App:
    app = App("shop")
    app.command(retry=Retry(max_retries=0), **go)(Go)
    app.command(Next)

    @app.handler
    async def following(command: Next) -> None: ...

    return app


def name_of(make: Callable[[], BaseException], *, in_coroutine: bool = True) -> str:
    """What an error is shown as: a coroutine cannot end with the errors that end iterations."""
    error = make()
    return "RuntimeError" if isinstance(error, StopIteration) and in_coroutine else type(error).__name__


async def failing(app: App, message: object) -> str | None:
    """Send it among others; the type of the error that it failed with, when all the others are done."""
    async with TestWorker(app, concurrency=2) as worker:
        await worker.send(Next(1))
        await worker.send(message)
        await worker.send(Next(2))
        async with asyncio.timeout(10):
            await worker.run_until_idle()
        assert worker.handled(Next) == [Next(1), Next(2)]
        (failed,) = worker.failed()
        return failed.error.type if failed.error else None


@each
async def test_what_a_coroutine_raises_is_its_failure(make: Callable[[], BaseException]) -> None:
    """Alone, or as one of several handlers; the others run all the same."""
    app, ran = shop(many_handlers=True), []

    @app.handler(priority=1)
    async def raising(command: Go) -> None:
        raise make()

    @app.handler
    async def calm(command: Go) -> None:
        ran.append(command)

    assert await failing(app, Go()) == name_of(make)
    assert ran == [Go()]


@each
async def test_the_only_handler_may_raise_anything(make: Callable[[], BaseException]) -> None:
    """With a context, and no timeout."""
    app = shop()

    @app.handler
    async def raising(command: Go, context: Context) -> None:
        await asyncio.sleep(0)
        raise make()

    assert await failing(app, Go()) == name_of(make)


@each
async def test_what_a_plain_function_raises_is_its_failure(make: Callable[[], BaseException]) -> None:
    """Its thread and the loop go on; nothing waits for ever."""
    app = shop()

    @app.handler
    def raising(command: Go) -> None:
        raise make()

    assert await failing(app, Go()) == name_of(make)


@each
async def test_what_a_subscriber_raises_is_its_failure(make: Callable[[], BaseException]) -> None:
    """The other subscribers run."""
    app, ran = App("shop"), []
    app.event(retry=Retry(max_retries=0))(Happened)
    app.command(Next)

    @app.handler
    async def following(command: Next) -> None: ...

    @app.subscriber
    async def raising(event: Happened) -> None:
        raise make()

    @app.subscriber
    async def calm(event: Happened) -> None:
        ran.append(event)

    assert await failing(app, Happened()) == name_of(make)
    assert ran == [Happened()]


@each
async def test_what_a_middleware_raises_while_consuming_is_the_messages_failure(
    make: Callable[[], BaseException],
) -> None:
    """Its handler has not run."""
    app = shop()

    @app.middleware(on="consume", messages=[Go])
    async def raising(envelope: Any, call_next: Any) -> Any:
        raise make()

    @app.handler
    async def never(command: Go) -> None:
        raise AssertionError

    assert await failing(app, Go()) == name_of(make)


@pytest.mark.parametrize("make", RAISED, ids=lambda make: type(make()).__name__)
async def test_who_calls_at_once_gets_an_exception(make: Callable[[], BaseException]) -> None:
    """An inline command, a query, and a middleware on dispatch raise an exception that ends nothing but the call."""
    app = App("shop")
    app.command(transport="inline")(Go)
    app.query(Asked)
    app.command(Next)

    @app.handler
    async def going(command: Go) -> None:
        raise make()

    @app.handler
    def answering(query: Asked) -> None:
        raise make()

    @app.handler
    async def following(command: Next) -> None: ...

    @app.middleware(on="dispatch", messages=[Next])
    async def raising(envelope: Any, call_next: Any) -> Any:
        raise make()

    async with TestWorker(app) as worker:
        for call in (worker.send(Go()), worker.query(Asked()), worker.send(Next())):
            with pytest.raises(AbruptEnd) as caught:
                await call
            assert type(caught.value.raised) is type(make())


@pytest.mark.parametrize("make", RAISED, ids=lambda make: type(make()).__name__)
async def test_an_inline_message_that_fails_after_a_commit_fails_alone(
    make: Callable[[], BaseException],
) -> None:
    """The handler that it came from is done."""
    app = shop()
    app.command("Later", transport="inline")(Asked)

    @app.handler
    async def going(command: Go, context: Context) -> None:
        context.dispatch(Asked())

    @app.handler
    async def raising(command: Asked) -> None:
        raise make()

    async with TestWorker(app) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert worker.handled(Go) == [Go()]


async def test_a_message_whose_class_raises_cannot_be_read() -> None:
    """It is kept as it came; the queue flows on."""
    app = shop()
    app.command(Picky)
    ran: list[Any] = []

    @app.handler
    async def going(command: Go) -> None: ...

    @app.handler
    async def picky(command: Picky) -> None:
        ran.append(command)

    async with house(app) as it:
        await it.put("shop-picky", b'{"number":-1}', "1")
        await it.send(Picky(1))
        await it.run(burst=True)
        assert sorted(it.outcomes()) == ["done", "failed"]
        assert ran == [Picky(1)]


async def test_a_handler_that_cancels_itself_has_failed_and_its_slot_goes_on() -> None:
    """Whether it notices or not; the next message in the slot is not touched."""
    app = shop()

    @app.handler
    async def going(command: Go) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if command.number == 1:
            await asyncio.sleep(0)
        if command.number == 3:
            raise ValueError("beside that")

    async with house(app) as it:
        await it.send(Go(1), Next(1), Go(2), Next(2), Go(3), Next(3))
        await it.run(burst=True)
        assert sorted(it.outcomes()) == ["done", "done", "done", "done", "failed", "failed"]


async def test_cancelling_every_task_leaves_all_slots_there() -> None:
    """A handler that ends all the slots it can find finds them working again."""
    app, started, go_on = shop(), [], asyncio.Event()

    @app.handler
    async def going(command: Go) -> None:
        if command.number < 0:
            for task in it.worker._slots if it.worker else ():
                task.cancel()
            return
        started.append(command.number)
        await go_on.wait()

    async with house(app) as it:
        task = it.start(concurrency=3)
        await it.send(Go(-1))
        await until(lambda: it.finished)
        await it.send(*(Go(number) for number in range(3)))
        await until(lambda: len(started) == 3)
        go_on.set()
        assert it.worker is not None
        it.worker.stop()
        await task


@pytest.mark.parametrize("goes_on", [False, True])
async def test_a_handler_that_swallows_its_cancellation_does_not_hold_up_the_stop(
    goes_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it ends as if it had not been cancelled, or goes on: its slot takes nothing new, and the stop ends."""
    app, started, over, ended = shop(), [], asyncio.Event(), asyncio.Event()
    monkeypatch.setattr("worker.runtime.worker._LAST_MOMENT", 0.01)

    @app.handler
    async def going(command: Go) -> None:
        started.append(command)
        try:
            await over.wait()
        except asyncio.CancelledError:
            if goes_on:
                await over.wait()
        ended.set()

    async with house(app) as it:
        task = it.start(graceful=0.01)
        await it.send(Go())
        await until(lambda: started)
        assert it.worker is not None
        it.worker.stop()
        async with asyncio.timeout(30):
            await task
        assert ended.is_set() is not goes_on
        over.set()
        await until(ended.is_set)


@pytest.mark.parametrize("make", RAISED, ids=lambda make: type(make()).__name__)
async def test_what_is_overdue_at_the_stop_is_given_back_whatever_it_raises(
    make: Callable[[], BaseException],
) -> None:
    """Cancelled by the worker, no attempt is charged."""
    app, started = shop(), []

    @app.handler
    async def going(command: Go) -> None:
        started.append(command)
        try:
            await asyncio.Event().wait()
        finally:
            raise make()

    async with house(app) as it:
        task = it.start(graceful=0.01)
        await it.send(Go())
        await until(lambda: started)
        assert it.worker is not None
        it.worker.stop()
        await task
        assert it.outcomes() == []
        (left,) = await it.waiting("shop-go")
        assert left.deaths == 0


@pytest.mark.parametrize("make", [*RAISED, StopAsyncIteration], ids=lambda make: type(make()).__name__)
async def test_what_a_handler_waits_for_may_end_with_anything(make: Callable[[], BaseException]) -> None:
    """Also with what closes coroutines: the message has failed, and its slot goes on."""
    app = shop()

    @app.handler
    async def going(command: Go) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, make())
        await future

    shown = await failing(app, Go())
    assert shown == ("AbruptEnd" if isinstance(make(), GeneratorExit) else type(make()).__name__)
