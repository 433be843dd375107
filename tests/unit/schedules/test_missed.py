"""What becomes of missed ticks."""

from __future__ import annotations

from worker.schedules.missed import caught_up
from worker.schedules.moments import SECOND
from worker.schedules.trigger import Every

TRIGGER = Every(SECOND)


def test_skip_fires_none_of_them() -> None:
    assert caught_up(TRIGGER, "skip", 0, 10 * SECOND) == ([], False)


def test_once_fires_the_last_one() -> None:
    assert caught_up(TRIGGER, "once", 0, 10 * SECOND + 1) == ([10 * SECOND], False)
    assert caught_up(TRIGGER, "once", 10 * SECOND, 10 * SECOND + 1) == ([], False)


def test_all_fires_them_in_order() -> None:
    assert caught_up(TRIGGER, "all", 7 * SECOND, 10 * SECOND).ticks == [8 * SECOND, 9 * SECOND, 10 * SECOND]
    thousand = caught_up(TRIGGER, "all", 0, 1000 * SECOND)
    assert (len(thousand.ticks), thousand.ticks[0], thousand.dropped) == (1000, SECOND, False)


def test_all_fires_the_last_thousand_at_most() -> None:
    found = caught_up(TRIGGER, "all", 0, 86_400 * SECOND)
    assert found.dropped
    assert found.ticks == [tick * SECOND for tick in range(85_401, 86_401)]


def test_a_clock_that_was_set_back_has_missed_nothing() -> None:
    assert caught_up(TRIGGER, "all", 10 * SECOND, 3 * SECOND) == ([], False)
