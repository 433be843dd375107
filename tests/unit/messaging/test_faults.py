"""What is said of a value that does not fit names what does: choices, and how a time is written."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from worker.messaging.faults import collect, unknown_member


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Floor(IntEnum):
    GROUND = 0
    FIRST = 1


def said(kind: Any, value: Any) -> list[str]:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(value, kind)
    return [fault.message for fault in collect(kind, value, raised.value)]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Size, "m", "invalid enum value 'm'; expected one of 's', 'l'"),
        (Annotated[Size, msgspec.Meta(title="size")] | None, "m", "invalid enum value 'm'; expected one of 's', 'l'"),
        (Floor, 2, "invalid enum value 2; expected one of 0, 1"),
        (Literal["asked", "ready"], "red", "invalid enum value 'red'; expected one of 'asked', 'ready'"),
        (Literal["asked"] | None, "red", "invalid enum value 'red'; expected 'asked'"),
        (date, "2020-13-01", "expected a date, like 2026-01-31"),
        (datetime | None, "soon", "expected a time, like 2026-01-31T12:00:00Z"),
        (time, "noon", "expected a time of day, like 12:00:00"),
    ],
)  # fmt: skip
def test_what_would_fit_is_said(kind: Any, value: Any, expected: str) -> None:
    assert said(kind, value) == [expected]


def test_many_choices_are_not_listed() -> None:
    kind = Literal[tuple(f"c{number}" for number in range(30))]
    assert said(kind, "x") == ["invalid enum value 'x'"]


def test_what_is_known_is_said_where_nothing_is_near() -> None:
    assert unknown_member("page", ["next", "limit"]) == "is not known; known: limit, next"
    assert unknown_member("nxt", ["next", "limit"]) == "is not known; did you mean 'next'?"
    assert unknown_member("page", []) == "is not known"
    assert unknown_member("page", [f"c{number}" for number in range(30)]) == "is not known"
