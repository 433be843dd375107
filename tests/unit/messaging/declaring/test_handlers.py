"""Handlers: functions, methods, classes and callable objects, and which message each one takes."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import pytest

from worker import App, ConfigurationError, Context
from worker.messaging.declaration import Handler

if TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]


class Go(msgspec.Struct, frozen=True):
    pass


class Gone(msgspec.Struct, frozen=True):
    pass


class Other(msgspec.Struct, frozen=True):
    pass


async def with_context(command: Go, context: Context) -> None: ...


async def with_any_context(command: Go, c: Any) -> None: ...


async def with_optional_context(command: Go, context: Context | None = None) -> None: ...


async def with_default(command: Go, times: int = 3) -> None: ...


async def alone(command: Go) -> None: ...


class Noting(Protocol):
    def record(self, event: Any) -> None: ...


async def with_part_of_it(command: Go, context: Noting) -> None: ...


def in_a_thread(command: Go, context: Context) -> None: ...


class Desk:
    async def __call__(self, command: Go) -> None: ...


async def partly(prefix: str, command: Go) -> None: ...


def one(target: Any) -> Handler:
    """The handler that a declaration of ``target`` stands for."""
    app = App("shop")
    app.command(Go)
    app.handler(target)
    (found,) = app.registry().handlers["Go"]
    return found


def fault(target: Any, *, subscriber: bool = False) -> str:
    """The fault that a declaration of ``target`` makes, besides the handler that is then missing."""
    app = App("shop")
    app.command(Go)
    app.event(Gone)
    (app.subscriber if subscriber else app.handler)(target)
    with pytest.raises(ConfigurationError) as caught:
        app.registry()
    (found,) = [text for text in caught.value.faults if "no handler;" not in text]
    return found


@pytest.mark.parametrize(
    ("function", "wants_context", "is_async"),
    [
        (with_context, True, True),
        (with_any_context, True, True),
        (with_part_of_it, True, True),
        (with_default, False, True),
        (alone, False, True),
        (in_a_thread, True, False),
        (functools.partial(partly, "x"), False, True),
    ],
)
def test_a_function_says_how_it_is_called(function: Any, wants_context: bool, is_async: bool) -> None:
    """A second required parameter, or one annotated Context, gets the context; plain functions run in a thread."""
    found = one(function)
    assert (found.call, found.wants_context, found.is_async) == (function, wants_context, is_async)


def test_a_handler_is_named_by_module_and_qualified_name() -> None:
    """The name is stable: the inbox and the handled stamp remember it."""
    assert [one(alone).name, one(Table).name] == [f"{__name__}.alone", f"{__name__}.Table.go"]


def test_a_callable_object_is_a_handler() -> None:
    """An object whose call is async runs on the loop."""
    desk = Desk()
    found = one(desk)
    assert (found.name, found.call, found.is_async) == (f"{__name__}.Desk", desk, True)


def test_a_bound_method_is_a_handler() -> None:
    """Of an object that the application made itself."""
    table = Table()
    assert one(table.go).call == table.go


class Base:
    async def inherited(self, command: Go) -> None: ...


class Table(Base):
    inherited = None  # type: ignore[assignment]

    def __init__(self, legs: int = 4) -> None:
        self.legs = legs

    async def go(self, command: Go) -> None: ...

    async def _private(self, command: Go) -> None: ...

    def legs_of(self, other: int) -> int:
        return self.legs


class Whole(Base):
    async def on_gone(self, event: Go, context: Context) -> None: ...


def test_a_classs_public_methods_are_its_handlers() -> None:
    """Private methods and those that take no declared message are not; the object is made once."""
    found = one(Table)
    assert found.call.__self__.legs == 4  # type: ignore[attr-defined]


class Desk2:
    async def __call__(self, command: Go) -> None: ...


def test_a_class_with_a_call_is_a_handler() -> None:
    """Its object is made once and called."""
    found = one(Desk2)
    assert (found.name, found.is_async) == (f"{__name__}.Desk2.__call__", True)


def test_inherited_methods_are_handlers_too() -> None:
    """They come first, as they were declared first."""
    app = App("shop")
    app.command(many_handlers=True)(Go)
    app.handler(Whole)
    first, second = app.registry().handlers["Go"]
    assert [first.name, second.name] == [f"{__name__}.Whole.inherited", f"{__name__}.Whole.on_gone"]
    assert first.call.__self__ is second.call.__self__  # type: ignore[attr-defined]
    assert (first.wants_context, second.wants_context) == (False, True)


late = App("late")
late.command(Go)


class Decorated:
    @late.handler
    async def go(self, command: Go) -> None: ...


def test_a_decorated_method_finds_its_class() -> None:
    """Its class is made when the registry is asked for."""
    (found,) = late.registry().handlers["Go"]
    assert isinstance(found.call.__self__, Decorated)  # type: ignore[attr-defined]


def test_messages_of_an_application_made_in_a_function_are_found() -> None:
    """Annotations are text there; the names of the declared messages are known all the same."""
    app = App("shop")

    @app.command
    class Local(msgspec.Struct, frozen=True):
        pass

    @app.handler
    async def local(command: Local, context: Context) -> None: ...

    (found,) = app.registry().handlers["Local"]
    assert (found.call, found.wants_context) == (local, True)


async def nothing() -> None: ...


async def undeclared(command: Other) -> None: ...


async def bare(command) -> None: ...  # type: ignore[no-untyped-def]


async def unresolved(command: Missing) -> None: ...


async def three(command: Go, context: Context, more: int) -> None: ...


async def wrong_second(command: Go, times: int) -> None: ...


async def by_keyword(command: Go, *, context: Context) -> None: ...


async def of_an_event(event: Gone) -> None: ...


async def generating(command: Go) -> AsyncIterator[int]:
    yield 1


class Demanding:
    def __init__(self, database: str) -> None: ...

    async def go(self, command: Go) -> None: ...


class Empty:
    def go(self, command: Other) -> None: ...


class Unresolved:
    async def go(self, command: Missing) -> None: ...


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (nothing, "nothing: takes no parameter; expected the message first"),
        (undeclared, "annotated Other, which is no declared message; declared: Go, Gone"),
        (bare, "bare: its first parameter is annotated with nothing"),
        (unresolved, "unresolved: its annotations cannot be read: name 'Missing' is not defined"),
        (three, "three: takes 3 parameters; expected the message and the context"),
        (wrong_second, "wrong_second: its second parameter is annotated int; expected Context"),
        (by_keyword, "by_keyword: takes keyword-only parameters"),
        (of_an_event, "of_an_event: Gone is an event; use @app.subscriber"),
        (generating, "generating: is a generator, whose body would never run"),
        (
            Demanding,
            "class tests.unit.messaging.declaring.test_handlers.Demanding: cannot be made without arguments",
        ),
        (Empty, "Empty: none of its public methods takes a declared message"),
        (Unresolved, "Unresolved.go: its annotations cannot be read"),
        (5, "expected a function, a method or a class"),
    ],
)
def test_what_cannot_be_a_handler_is_a_fault(target: Any, expected: str) -> None:
    """The fault names the handler and what is expected of it."""
    assert expected in fault(target)


def test_a_subscriber_of_a_command_is_a_fault() -> None:
    """The fault names the decorator that is right."""
    assert "Go is a command; use @app.handler" in fault(alone, subscriber=True)


def test_a_method_whose_class_is_out_of_reach_is_a_fault() -> None:
    """A decorated method of a class inside a function cannot find its class."""

    class Inner:
        async def go(self, command: Go) -> None: ...

    assert "its class cannot be found" in fault(Inner.go)
