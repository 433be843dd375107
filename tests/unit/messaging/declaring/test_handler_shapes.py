"""A handler that only returns work which nothing would do: seen at start where it can be, else its message fails."""

from __future__ import annotations

import asyncio
import functools
import warnings
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from worker import App, ConfigurationError, Context, UsageError
from worker.testing import TestWorker


class Go(msgspec.Struct, frozen=True):
    pass


class Asked(msgspec.Struct, frozen=True):
    pass


class Happened(msgspec.Struct, frozen=True):
    pass


def wrapped(function: Any) -> Any:
    """A plain decorator."""

    @functools.wraps(function)
    def around(*arguments: Any) -> Any:
        return function(*arguments)

    return around


def wrapped_async(function: Any) -> Any:
    """A decorator that forgets to await."""

    @functools.wraps(function)
    async def around(*arguments: Any) -> Any:
        return function(*arguments)

    return around


def generator(command: Go) -> Any:
    yield 1


async def async_generator(command: Go) -> Any:
    yield 1


class Callables:
    def __call__(self, command: Go) -> Any:
        yield 1

    def method(self, command: Go) -> Any:
        yield 1

    @staticmethod
    def static(command: Go) -> Any:
        yield 1

    @classmethod
    async def klass(cls, command: Go) -> Any:
        yield 1


class Methods:
    @staticmethod
    def go(command: Go) -> Any:
        yield 1


SHAPES: list[Any] = [
    generator,
    async_generator,
    wrapped(generator),
    wrapped(wrapped(async_generator)),
    wrapped_async(generator),
    wrapped_async(async_generator),
    functools.partial(wrapped(generator)),
    functools.lru_cache(generator),
    Callables(),
    Callables().method,
    wrapped(Callables().method),
    staticmethod(generator),
    Callables.static,
    Callables.klass,
    Methods,
]


@pytest.mark.parametrize("handler", SHAPES)
def test_a_generator_is_seen_at_the_start_behind_whatever(handler: Any) -> None:
    """Decorators, partials, methods, static and class methods, callable objects."""
    app = App("shop")
    app.command(Go)
    app.handler(handler)
    with pytest.raises(ConfigurationError, match="is a generator"):
        app.registry()


@pytest.mark.parametrize("kind", ["subscriber", "query", "middleware"])
def test_subscribers_queries_and_middleware_are_looked_at_alike(kind: str) -> None:
    """None of them may be a generator."""
    app = App("shop")

    @app.query
    class Question(msgspec.Struct, frozen=True):
        pass

    app.event(Happened)

    def answering(query: Question) -> Any:
        yield 1

    def hearing(event: Happened) -> Any:
        yield 1

    async def fine(query: Question) -> None: ...

    async def around(envelope: Any, call_next: Any) -> Any:
        yield envelope

    answering.__annotations__["query"] = fine.__annotations__["query"] = Question
    app.handler(wrapped(answering) if kind == "query" else fine)
    if kind == "subscriber":
        app.subscriber(wrapped_async(hearing))
    if kind == "middleware":
        app.middleware(wrapped_async(around))
    with pytest.raises(ConfigurationError, match="is a generator"):
        app.registry()


def hidden(make: Callable[[], Any], *, context: bool = False) -> Any:
    """A handler that shows nothing of what it returns."""

    async def handler(command: Go) -> Any:
        return make()

    async def told(command: Go, context: Context) -> Any:
        return make()

    return told if context else handler


async def coroutine() -> None: ...


RETURNED: list[tuple[str, Callable[[], Any]]] = [
    ("a coroutine of coroutine", coroutine),
    ("a generator of generator", lambda: generator(Go())),
    ("an asynchronous generator of async_generator", lambda: async_generator(Go())),
    ("an awaitable (Future)", lambda: asyncio.get_running_loop().create_future()),
]


@pytest.mark.parametrize(("what", "make"), RETURNED, ids=[what for what, _ in RETURNED])
@pytest.mark.parametrize("several", [False, True])
async def test_a_result_that_nobody_runs_is_a_failure(
    what: str, make: Callable[[], Any], several: bool
) -> None:
    """It names the handler and what came; no retry can help, and nothing warns of what was never awaited."""
    app = App("shop")
    app.command(many_handlers=True)(Go)
    app.handler(hidden(make))
    if several:

        @app.handler
        async def other(command: Go) -> None: ...

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with TestWorker(app) as worker:
            await worker.send(Go())
            await worker.run_until_idle()
            (failed,) = worker.failed()
    assert failed.error is not None
    assert failed.error.type == "UsageError"
    assert "hidden.<locals>.handler" in failed.error.message
    assert what in failed.error.message


async def test_a_handler_with_a_context_is_held_to_it_as_well() -> None:
    """Alone, it is called by a way of its own."""
    app = App("shop")
    app.command(Go)
    app.handler(hidden(coroutine, context=True))
    async with TestWorker(app) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        (failed,) = worker.failed()
    assert failed.error is not None
    assert "returned a coroutine of coroutine" in failed.error.message


async def test_a_generator_out_of_a_plain_function_is_a_failure_too() -> None:
    """So is that of a query."""
    app = App("shop")
    app.query(Asked)

    @app.handler
    def asked(query: Asked) -> Any:
        return (number for number in range(3))

    async with TestWorker(app) as worker:
        with pytest.raises(UsageError, match="returned a generator"):
            await worker.query(Asked())


async def test_a_coroutine_out_of_a_plain_function_is_awaited() -> None:
    """A decorator that is a plain function around an async handler: on the loop, within the handler's timeout."""
    app, ran = App("shop"), []
    app.command(timeout=5.0)(Go)

    @wrapped
    async def go(command: Go) -> None:
        await asyncio.sleep(0)
        ran.append(command)

    app.handler(go)
    async with TestWorker(app) as worker:
        await worker.send(Go())
        await worker.run_until_idle()
        assert worker.handled(Go) == ran == [Go()]


def test_static_and_class_methods_of_a_handler_class_are_handlers() -> None:
    """As its other public methods are."""
    app = App("shop")
    app.command(Go)
    app.query(Asked)

    @app.handler
    class Handlers:
        @staticmethod
        async def go(command: Go) -> None: ...

        @classmethod
        async def asked(cls, query: Asked) -> None: ...

    registry = app.registry()
    assert [registry.handlers[name][0].is_async for name in ("Go", "Asked")] == [True, True]
