"""What counts as a span of time, wherever one is given: the one place that decides."""

from __future__ import annotations

from datetime import timedelta
from numbers import Real
from typing import Any

LONGEST = 10 * 366 * 86_400.0
"""Seconds; what is longer than ten years is a mistake."""
EXPECTED = f"expected a finite number of seconds, 0 to {LONGEST:.0f}"


def seconds_of(span: object) -> float:
    """Return a span's seconds: a finite number, 0 to ``LONGEST``, or a ``timedelta`` of that length.

    Raises:
        ValueError: it is anything else (``nan``, ``inf``, text, a truth value …); says what it is and what is expected.
    """
    number: Any = span.total_seconds() if isinstance(span, timedelta) else span
    if not isinstance(number, bool) and isinstance(number, Real) and 0 <= number <= LONGEST:  # type: ignore[operator]
        return float(number)
    raise ValueError(f"{_shown(span)}: {EXPECTED}, or a timedelta")


def _shown(span: object) -> str:
    """Show what was given; its ``repr`` may be the application's, and wrong or huge."""
    try:
        return repr(span)[:64]
    except Exception:
        return f"a {type(span).__name__}"
