"""Texts of code outside: whatever they hold, they can be stored, and asking for them raises nothing."""

from __future__ import annotations

from typing import Any

import pytest

from worker.texts import MESSAGE, NAME, TRACE, message_of, storable, told, trace_of, type_of

LONE = "lone \udc80 surrogate"
NUL = "a NUL \0 inside"


class Sly(str):
    """Text with methods of its own, none of which can be relied on."""

    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("no part")

    def encode(self, *given: Any) -> bytes:
        raise RuntimeError("no bytes")

    def replace(self, *given: Any) -> str:
        raise RuntimeError("no other")

    def __contains__(self, key: Any) -> bool:
        raise RuntimeError("no member")


class Mute(Exception):
    """Raises when its text is asked for."""

    def __str__(self) -> str:
        raise SystemExit(3)

    def __repr__(self) -> str:
        raise RuntimeError("no text")


class Bent(Exception):
    """Its text is no text."""

    def __str__(self) -> Any:
        return 7  # noqa: PLE0307 - that is the fault


class SlyError(Exception):
    """Its text is of a class of its own."""

    def __str__(self) -> str:
        return Sly(LONE)


class Named(type):
    """A class that says its name by code."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no name")


class Nameless(Exception, metaclass=Named):
    """An error of such a class."""


class Causeless(Exception):
    """Raises when its cause is asked for."""

    @property
    def __cause__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no cause")


def looped() -> Exception:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    return one


def noted(notes: Any) -> Exception:
    error = ValueError("noted")
    error.__notes__ = notes
    return error


def odd_class() -> Exception:
    kind = type("Odd", (Exception,), {})
    kind.__qualname__ = f"Odd\0\udc80{'x' * 100_000}"
    kind.__module__ = "m\0\udc80"
    return kind("odd")


def deep() -> Exception:
    error: Exception = ValueError("first")
    for number in range(5_000):
        following = ValueError(str(number))
        following.__context__ = error
        error = following
    return error


ERRORS: list[BaseException] = [
    ValueError(LONE),
    ValueError(NUL),
    ValueError("x" * 10_000_000),
    ValueError("\0" * 10_000),
    Mute(),
    Bent(),
    SlyError(),
    Nameless("n"),
    Causeless("c"),
    looped(),
    noted([LONE, NUL, Mute()]),
    noted(5),
    odd_class(),
    deep(),
    ExceptionGroup("many", [ValueError(LONE), Mute()]),
    SystemExit(LONE),
]


def is_storable(text: str, limit: int) -> bool:
    """Whether SQLite, PostgreSQL, JSON and a log can keep it."""
    return type(text) is str and "\0" not in text and bool(text.encode() or True) and len(text) <= limit


@pytest.mark.parametrize("error", ERRORS, ids=map(str, range(len(ERRORS))))
def test_what_is_kept_of_any_error_can_be_stored(error: BaseException) -> None:
    """Class, text, trace and the line of a log; none of it raises."""
    assert is_storable(type_of(error), NAME)
    assert is_storable(message_of(error), MESSAGE)
    assert is_storable(trace_of(error), TRACE)
    assert is_storable(told(error), NAME + MESSAGE + 2)


def test_what_cannot_be_stored_is_written_out() -> None:
    """So that one sees what was there."""
    assert storable(LONE) == "lone \\udc80 surrogate"
    assert storable(NUL) == "a NUL \\x00 inside"


def test_plain_text_stays_as_it_is() -> None:
    """Characters of any language, line ends and emoji too."""
    text = "Größe 😀\n\tтекст"
    assert storable(text) == text


def test_of_long_text_beginning_and_end_are_kept() -> None:
    """What is left out is told; shortening again changes nothing."""
    short = storable("a" * 1_000 + "z" * 99_000)
    assert short.startswith("a" * 1_000)
    assert short.endswith("z" * 2_000)
    assert "96000 characters and more left out" in short
    assert storable(short) == short


def test_a_trace_names_where_the_error_came_from_though_its_cause_cannot_be_told() -> None:
    """What can be known is kept, and why the rest is not there."""
    try:
        raise Causeless("lost")
    except Causeless as error:
        trace = trace_of(error)
    assert 'raise Causeless("lost")' in trace
    assert "Causeless: lost" in trace
    assert "cannot be written: RuntimeError: no cause" in trace


@pytest.mark.parametrize("endless", ["text", "row of causes"])
def test_a_trace_without_end_is_not_written_out(endless: str) -> None:
    """That would hold up the worker for seconds; its class, the beginning of its text and its place are told."""
    if endless == "text":
        error = ValueError("x" * 1_000_001)
    else:
        error = ValueError("last")
        for _ in range(200):
            outer = ValueError("next")
            outer.__cause__, error = error, outer
    trace = trace_of(error)
    assert "its causes are left out" in trace
    assert len(trace) < 10_000


def test_a_text_that_fails_says_so() -> None:
    """The class of what it raised is told in its place."""
    assert told(Mute()) == "Mute: its text cannot be read: SystemExit"
    assert told(Bent()) == "Bent: its text cannot be read: TypeError"
