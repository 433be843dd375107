"""Limits: how many messages a token may send or ask, in a calendar window or in all."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, cast

Unit = Literal["s", "i", "h", "d", "m", "y", ""]
"""Second, minute, hour, day, month, year; the empty one is all time."""

_RULE = re.compile(r"([0-9]{1,12})(K|MM|M)?(?:/([sihdmy]))?", re.ASCII)
_FACTORS: Mapping[str | None, int] = {None: 1, "K": 10**3, "M": 10**6, "MM": 10**9}
MOST = 10**15
"""The largest count of a rule: what any database can hold."""

EXPECTED = 'expected a count like "10/s", "100/i", "1K/h", "10K/d", "1M/m", "5/y", or "1K" in all'
_FIXED: Mapping[Unit, int] = {"s": 1, "i": 60, "h": 3600, "d": 86_400}
_LONGEST: Mapping[Unit, float] = {**_FIXED, "m": 31 * 86_400, "y": 366 * 86_400, "": math.inf}
"""Seconds of a unit's longest window; each window lies in one of every longer unit."""


class Rule(NamedTuple):
    """At most so many messages in each window of a unit."""

    unit: Unit
    most: int


class Window(NamedTuple):
    """A calendar window in UTC: seconds since the epoch; the one of all time has no end."""

    start: int
    end: float | None


def parse(text: str) -> Rule:
    """Read a rule as it is written: a count with K, M or MM for thousands, millions, thousands of millions, and a unit.

    Raises:
        ValueError: it is none, or its count is beyond what can be counted.
    """
    found = _RULE.fullmatch(text)
    if found is None:
        raise ValueError(EXPECTED)
    count = int(found[1]) * _FACTORS[found[2]]
    if count > MOST:
        raise ValueError(f"expected at most {MOST} messages")
    return Rule(cast("Unit", found[3] or ""), count)


def rules(texts: Iterable[str]) -> tuple[Rule, ...]:
    """Read rules; of several of one unit the lowest holds.

    Raises:
        ValueError: one of them is none.
    """
    lowest: dict[Unit, int] = {}
    for unit, most in map(parse, texts):
        lowest[unit] = min(most, lowest.get(unit, most))
    return tuple(Rule(unit, most) for unit, most in lowest.items())


def within(rule: Rule, other: Rule) -> bool:
    """Whether who keeps to the one rule keeps to the other, too: ``10/d`` is within ``10/h``, and ``10/i`` within ``1K/h``."""
    shorter, longer = _LONGEST[rule.unit], _LONGEST[other.unit]
    windows = 1 if shorter >= longer else math.inf if longer == math.inf else math.ceil(longer / shorter)
    return rule.most == 0 or rule.most * windows <= other.most


def window(unit: Unit, now: float) -> Window:
    """Return the window that a moment is in."""
    if unit == "":
        return Window(0, None)
    if unit in _FIXED:
        length = _FIXED[unit]
        start = int(now // length) * length
        return Window(start, float(start + length))
    day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0, day=1)
    if unit == "y":
        first = day.replace(month=1)
        return Window(int(first.timestamp()), first.replace(year=first.year + 1).timestamp())
    return Window(int(day.timestamp()), (day + timedelta(days=32)).replace(day=1).timestamp())
