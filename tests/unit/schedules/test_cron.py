"""Cron expressions: what is read, and what is refused at start."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.schedules.cron import NAMES, fields_of
from worker.schedules.moments import SECOND, moment_at, time_of
from worker.schedules.trigger import Cron, Every


def at(text: str) -> int:
    return moment_at(datetime.fromisoformat(text).replace(tzinfo=UTC))


def first(expression: str, after: str, count: int = 1) -> list[str]:
    trigger, moment, found = Cron(fields_of(expression)), at(after), []
    for _ in range(count):
        tick = trigger.after(moment)
        assert tick is not None
        moment = tick
        found.append(time_of(tick).replace(tzinfo=None).isoformat(" ", "minutes"))
    return found


@pytest.mark.parametrize(
    ("expression", "after", "ticks"),
    [
        ("0 3 * * *", "2026-01-01T03:00", ["2026-01-02 03:00", "2026-01-03 03:00"]),
        ("*/20 * * * *", "2026-01-01T03:15:30", ["2026-01-01 03:20", "2026-01-01 03:40"]),
        ("  5  0  1 jan,Jul  * ", "2026-01-02T00:00", ["2026-07-01 00:05", "2027-01-01 00:05"]),
        ("0 0 13 * 5", "2026-02-01T00:00", ["2026-02-06 00:00", "2026-02-13 00:00", "2026-02-20 00:00"]),
        ("0 12 29 2 *", "2026-01-01T00:00", ["2028-02-29 12:00", "2032-02-29 12:00"]),
        ("0 0 * * 7", "2026-01-01T00:00", ["2026-01-04 00:00"]),
        ("@hourly", "2026-01-01T23:59:59", ["2026-01-02 00:00", "2026-01-02 01:00"]),
        ("@weekly", "2026-01-01T00:00", ["2026-01-04 00:00"]),
    ],
)
def test_ticks_follow_the_five_fields(expression: str, after: str, ticks: list[str]) -> None:
    assert first(expression, after, len(ticks)) == ticks


@pytest.mark.parametrize("name", NAMES)
def test_every_name_stands_for_five_fields(name: str) -> None:
    assert len(fields_of(name.upper()).split()) == 5


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "expected five fields"),
        ("* * * *", "expected five fields"),
        ("0 0 0 * * *", "expected five fields"),
        ("60 * * * *", "bad minute"),
        ("* 24 * * *", "bad hour"),
        ("* * 0 * *", "bad day-of-month"),
        ("* * * 13 *", "bad month"),
        ("* * * * 8", "bad day-of-week"),
        ("*/0 * * * *", "bad minute"),
        ("5-1 * * * *", "bad minute"),
        (f"{'9' * 200} * * * *", "bad minute"),
        ("9" * 10_000, "expected five fields"),
        ("* * 30 2 *", "day"),
        ("* * * 2 mon#6", "bad day-of-week"),
        ("@reboot", "expected five fields"),
        ("@sometimes", "@daily"),
        (None, "expected five fields"),
        (5, "expected five fields"),
    ],
)
def test_what_is_no_expression_is_refused(expression: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        fields_of(expression)


@given(st.text(max_size=40) | st.from_regex(r"[-*/,#0-9LW]{1,6}( [-*/,#0-9LW]{1,6}){4}", fullmatch=True))
def test_any_text_is_read_or_refused(expression: str) -> None:
    try:
        fields = fields_of(expression)
    except ValueError:
        return
    Cron(fields).after(at("2026-01-01T00:00"))


def test_a_length_of_time_counts_from_the_epoch() -> None:
    assert Every(30 * SECOND).after(0) == 30 * SECOND
    assert Every(30 * SECOND).after(30 * SECOND - 1) == 30 * SECOND
    third = Every(SECOND // 10)
    assert [third.after(tick) for tick in range(0, 300_000, 100_000)] == [100_000, 200_000, 300_000]
    assert next(third.back(1_700_000_000_050_000)) == 1_700_000_000_000_000
    assert next(third.back(100_000)) == 100_000


def test_ticks_end_where_the_years_do() -> None:
    assert Cron(fields_of("@yearly")).after(moment_at(datetime(9999, 6, 1, tzinfo=UTC))) is None
