"""Daylight saving: three zones over two years by simulation, and the days on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.schedules.cron import fields_of
from worker.schedules.moments import Moment, moment_at, time_of
from worker.schedules.trigger import Cron
from worker.schedules.zones import moment_in, zone_named

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
"""One on each side of the Atlantic, and one in the south whose clocks go by half an hour."""
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
HALF_AN_HOUR, QUARTER = timedelta(minutes=30), timedelta(minutes=15)

DAILY = {
    "0 3 * * *": frozenset({(3, 0)}),
    "30 2 * * *": frozenset({(2, 30)}),
}
OFTEN = {
    "15,45 1-2 * * *": frozenset({(1, 15), (1, 45), (2, 15), (2, 45)}),
    "*/15 * * * *": frozenset((hour, minute) for hour in range(24) for minute in (0, 15, 30, 45)),
    "30 * * * *": frozenset((hour, 30) for hour in range(24)),
}
"""What fires when, as a clock on the wall shows it."""


def simulated(
    zone: str, matches: frozenset[tuple[int, int]], begin: datetime, end: datetime, step: timedelta
) -> list[Moment]:
    """Walk through all hours as a clock on the wall does; tell when a schedule must fire."""
    place, found, seen = zone_named(zone), [], set[datetime]()
    before = (begin - step).astimezone(place).replace(tzinfo=None)
    moment = begin
    while moment < end:
        local = moment.astimezone(place).replace(tzinfo=None)
        skipped = before + step
        due = False
        while skipped <= local:  # one step, or all the local times of a gap
            due |= (skipped.hour, skipped.minute) in matches and skipped not in seen
            seen.add(skipped)
            skipped += step
        if due:
            found.append(moment_at(moment))
        before, moment = local, moment + step
    return found


def ticks(zone: str, expression: str, begin: datetime, end: datetime) -> list[Moment]:
    trigger = Cron(fields_of(expression), zone_named(zone))
    found, tick = [], trigger.after(moment_at(begin) - 1)
    while tick is not None and tick < moment_at(end):
        found.append(tick)
        tick = trigger.after(tick)
    return found


def changes(zone: str) -> list[datetime]:
    """Days on which the zone's clocks are changed."""
    days = [BEGIN + timedelta(days=day) for day in range((END - BEGIN).days)]
    offsets = [day.astimezone(zone_named(zone)).utcoffset() for day in days]
    return [day for day, (one, other) in zip(days, pairwise(offsets), strict=False) if one != other]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("expression", DAILY)
def test_each_local_time_fires_once_over_two_years(zone: str, expression: str) -> None:
    forward = ticks(zone, expression, BEGIN, END)
    assert forward == simulated(zone, DAILY[expression], BEGIN, END, HALF_AN_HOUR)
    back = Cron(fields_of(expression), zone_named(zone)).back(moment_at(END) - 1)
    assert [next(back) for _ in forward][::-1] == forward


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("expression", OFTEN)
def test_each_local_time_fires_once_when_clocks_are_changed(zone: str, expression: str) -> None:
    days = changes(zone)
    assert len(days) == 4
    for day in days:
        begin, end = day - timedelta(days=1), day + timedelta(days=2)
        assert ticks(zone, expression, begin, end) == simulated(zone, OFTEN[expression], begin, end, QUARTER)


def told(zone: str, expression: str, after: str, count: int) -> list[str]:
    trigger, found = Cron(fields_of(expression), zone_named(zone)), []
    moment = moment_at(datetime.fromisoformat(after))
    for _ in range(count):
        tick = trigger.after(moment)
        assert tick is not None
        moment = tick
        found.append(time_of(tick, zone_named(zone)).isoformat())
    return found


def test_a_time_that_occurs_twice_fires_once_the_first_time() -> None:
    assert told("Europe/Berlin", "30 2 * * *", "2026-10-25T00:00+02:00", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]
    # also where it is asked in between, and in the second pass
    assert told("Europe/Berlin", "30 2 * * *", "2026-10-25T02:30+02:00", 1) == ["2026-10-26T02:30:00+01:00"]
    assert told("Europe/Berlin", "30 2 * * *", "2026-10-25T02:15+01:00", 1) == ["2026-10-26T02:30:00+01:00"]


def test_a_time_that_does_not_occur_fires_at_the_first_moment_after_the_gap() -> None:
    assert told("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00+01:00", 2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]
    assert told("Australia/Lord_Howe", "10 2 * * *", "2026-10-03T12:00+10:30", 1) == [
        "2026-10-04T02:30:00+11:00"
    ]


def test_all_times_of_a_gap_are_one_tick() -> None:
    assert told("America/New_York", "*/15 2,3 * * *", "2026-03-08T01:59-05:00", 2) == [
        "2026-03-08T03:00:00-04:00",
        "2026-03-08T03:15:00-04:00",
    ]


def test_a_day_that_a_zone_has_left_out_is_a_gap() -> None:
    assert told("Pacific/Apia", "0 12 * * *", "2011-12-29T12:00-10:00", 2) == [
        "2011-12-31T00:00:00+14:00",
        "2011-12-31T12:00:00+14:00",
    ]


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # local times have no zone
    st.timedeltas(timedelta(0), timedelta(days=2)),
)
def test_later_local_times_never_mean_earlier_moments(zone: str, local: datetime, later: timedelta) -> None:
    place, local = zone_named(zone), local.replace(microsecond=0)
    assert moment_in(place, local) <= moment_in(place, local + later)


@given(
    st.sampled_from(ZONES),
    st.integers(moment_at(BEGIN), moment_at(END)),
    st.sampled_from(["30 2 * * *", "*/7 * * * *", "0 0 1 * *"]),
)
def test_ticks_are_the_same_forward_and_back(zone: str, moment: Moment, expression: str) -> None:
    trigger = Cron(fields_of(expression), zone_named(zone))
    tick = trigger.after(moment)
    assert tick is not None
    assert tick > moment
    back = trigger.back(tick)
    assert next(back) == tick
    assert next(back) <= moment


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "Europe", "../etc/passwd", "/etc/localtime", "a\0b", 3, None]
)
def test_what_is_no_zone_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="timezone="):
        zone_named(name)


def test_a_zone_that_is_misspelt_is_guessed() -> None:
    with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'"):
        zone_named("Europe/Berln")
