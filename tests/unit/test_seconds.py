"""Spans of time: one place says what is one."""

from __future__ import annotations

import math
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from worker.seconds import CENTURY, LONGEST, seconds_of


class Unshowable:
    """A value whose own text fails."""

    def __repr__(self) -> str:
        """Fail."""
        raise RuntimeError("no text")


WRONG_SPANS = [
    pytest.param(value, id=name)
    for name, value in {
        "nan": math.nan,
        "inf": math.inf,
        "minus-inf": -math.inf,
        "negative": -0.5,
        "negative-timedelta": timedelta(seconds=-1),
        "text": "5",
        "true": True,
        "false": False,
        "none-of-it": [5],
        "beyond-dates": 1e300,
        "beyond-floats": 10**400,
        "longest-timedelta": timedelta.max,
        "complex": 5j,
        "unshowable": Unshowable(),
    }.items()
]
"""Values that are no span of time."""


@pytest.mark.parametrize("span", WRONG_SPANS)
def test_what_is_no_span_of_time_is_refused(span: Any) -> None:
    """The error says what is expected, and what was given as far as that can be shown."""
    with pytest.raises(ValueError, match="expected a finite number of seconds, 0 to"):
        seconds_of(span)


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (0, 0.0),
        (1.5, 1.5),
        (Fraction(1, 2), 0.5),
        (LONGEST, LONGEST),
        (timedelta(minutes=2), 120.0),
        (timedelta(0), 0.0),
    ],
)
def test_numbers_and_timedeltas_are_spans(span: Any, seconds: float) -> None:
    """Both come out as seconds."""
    assert seconds_of(span) == seconds
    assert type(seconds_of(span)) is float


def test_what_is_longer_than_a_place_allows_is_refused() -> None:
    """A pause may be longer than a delay."""
    assert seconds_of(CENTURY, CENTURY) == CENTURY
    with pytest.raises(ValueError, match="0 to 10, or a timedelta"):
        seconds_of(11, 10.0)
