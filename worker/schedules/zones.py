"""Time zones: which moment a local time means, and what of those that occur twice or not at all.

The one place that decides it: a local time that occurs twice means the first of the two; one that does not occur means the
first moment after the gap.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from worker.schedules.moments import SECOND, Moment, moment_at, time_of
from worker.suggestion import hint

_LONGEST_NAME = 255


def zone_named(name: object) -> ZoneInfo:
    """Return the zone of a name such as ``Europe/Berlin``.

    Raises:
        ValueError: there is none; says which was probably meant.
    """
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        raise ValueError(f"timezone={str(name)[:64]!r}: expected a name like 'Europe/Berlin'")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not there, no name of a zone, the name of a folder of zones
        known = sorted(available_timezones())
        raise ValueError(f"timezone={name!r}: there is no such time zone{hint(name, known)}") from None


def local_time(moment: Moment, zone: tzinfo) -> tuple[datetime, timedelta]:
    """Give the local time that clocks show, and by how much they were set back when they show it for the second time."""
    shown = time_of(moment, zone)
    back = timedelta()
    if shown.fold:
        back = max(back, _offset(shown.replace(fold=0)) - _offset(shown))
    return shown.replace(tzinfo=None, fold=0), back


def moment_in(zone: tzinfo, local: datetime) -> Moment:
    """Give the moment that a local time means; later local times never mean earlier moments.

    Raises:
        OverflowError: it is none that Python can write.
    """
    first = moment_at(local.replace(tzinfo=zone, fold=0).astimezone(UTC))
    if time_of(first, zone).replace(tzinfo=None) == local:
        return first
    # it lies in a gap: by the offset before it, it lies after the gap's moment, and by that after it before
    after = local.replace(tzinfo=zone, fold=1)
    return _change(zone, moment_at(after.astimezone(UTC)), first, _offset(after))


def _change(zone: tzinfo, before: Moment, after: Moment, offset: timedelta) -> Moment:
    """Find the moment, to the second, from which on clocks are that far from UTC."""
    low, high = before // SECOND, -(-after // SECOND)
    while low + 1 < high:
        middle = (low + high) // 2
        if time_of(middle * SECOND, zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high * SECOND


def _offset(time: datetime) -> timedelta:
    return time.utcoffset() or timedelta()
