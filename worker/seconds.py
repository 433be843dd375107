"""What counts as a span of time, wherever one is given: the one place that decides."""

from __future__ import annotations

from datetime import timedelta
from numbers import Real
from typing import Any

LONGEST = 10 * 366 * 86_400.0
"""Seconds; what is longer than ten years is a mistake."""
CENTURY = 3.2e9
"""Seconds that anything may last, such as a pause: a time that long ahead is still a date."""


def seconds_of(span: object, longest: float = LONGEST) -> float:
    """Return a span's seconds: a finite number, 0 to ``longest``, or a ``timedelta`` of that length.

    Raises:
        ValueError: it is anything else (``nan``, ``inf``, text, a truth value …); says what it is and what is expected.
    """
    number: Any = span.total_seconds() if isinstance(span, timedelta) else span
    if not isinstance(number, bool) and isinstance(number, Real) and 0 <= number <= longest:  # type: ignore[operator]
        return float(number)
    raise ValueError(
        f"{_shown(span)}: expected a finite number of seconds, 0 to {longest:.0f}, or a timedelta"
    )


def is_number(value: object, *kinds: type) -> bool:
    """Whether a value is a number, of these kinds where some are named; a truth value is none."""
    return isinstance(value, kinds or (int, float)) and not isinstance(value, bool)


def _shown(span: object) -> str:
    """Show what was given; its ``repr`` may be the application's, and wrong or huge."""
    try:
        return repr(span)[:64]
    except Exception:
        return f"a {type(span).__name__}"
