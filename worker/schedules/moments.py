"""Moments: microseconds since the epoch, so that a tick is the same number wherever it is computed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TypeAlias

Moment: TypeAlias = int
"""Microseconds since the epoch."""

SECOND: Moment = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment_of(seconds: float) -> Moment:
    """Read a clock's seconds since the epoch."""
    return round(seconds * SECOND)


def seconds_of(moment: Moment) -> float:
    """Give seconds since the epoch."""
    return moment / SECOND


def moment_at(time: datetime) -> Moment:
    """Give the moment of an aware time."""
    return (time - _EPOCH) // _MICROSECOND


def time_of(moment: Moment, zone: tzinfo = UTC) -> datetime:
    """Give the time in a zone.

    Raises:
        OverflowError: it is none that Python can write.
    """
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(zone)
