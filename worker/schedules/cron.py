"""Cron expressions: five fields, or a name such as ``@hourly``; which local times they mean.

CronSim reads them and walks the calendar. It is asked about local times without a zone, so none of its own rules for
daylight saving apply: those are in ``zones``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

NAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""Names of expressions, and what they stand for."""

_FIELDS = 5
_LONGEST = 256
_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001  # local times have no zone
_SECOND = timedelta(seconds=1)


def fields_of(expression: object) -> str:
    """Return the five fields of an expression that means some time.

    Raises:
        ValueError: says what is wrong with it.
    """
    given = expression if isinstance(expression, str) else repr(expression)
    written = " ".join(given[: _LONGEST + 1].split())
    fields = NAMES.get(written.lower(), written)
    if len(written) > _LONGEST or len(fields.split()) != _FIELDS:
        raise ValueError(f"{written[:64]!r}: {_EXPECTED}")
    try:
        some = next(CronSim(fields, _SOME_DAY), None)
    except (CronSimError, ValueError, AssertionError) as error:
        raise ValueError(f"{written[:64]!r}: {_lowered(error)}; {_EXPECTED}") from None
    if some is None:
        raise ValueError(f"{written[:64]!r}: there is no such day in 50 years")
    return fields


_EXPECTED = (
    f"expected five fields, minute hour day-of-month month day-of-week, or one of {', '.join(sorted(NAMES))}"
)


def following(fields: str, local: datetime) -> Iterator[datetime]:
    """Give the local times after one, as far as there are any."""
    return _walk(CronSim(fields, local))


def preceding(fields: str, local: datetime) -> Iterator[datetime]:
    """Give that local time, where it is one, and those before it, latest first."""
    return _walk(CronSim(fields, local.replace(microsecond=0) + _SECOND, reverse=True))


def _walk(times: CronSim) -> Iterator[datetime]:
    """Give times until there is none, or none that Python can write."""
    while True:
        try:
            found = next(times)
        except (StopIteration, OverflowError, ValueError):
            return
        yield found


def _lowered(error: Exception) -> str:
    text = str(error) or "it cannot be read"
    return f"{text[:1].lower()}{text[1:]}"
