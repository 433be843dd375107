"""The ticks of a schedule: what was missed, clocks that are set, functions that are slow, outages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.unit.runtime.scheduler.house import Desk, Tick, ticking
from worker.messaging.firing import Standing
from worker.runtime.scheduler import ticks as module
from worker.schedules.moments import moment_of


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)


async def test_ticks_fire_in_order_while_somebody_is_there():
    desk = Desk(ticking)
    ticks = desk.ticks()
    await ticks.advance()
    assert desk.firings.ticks == []
    desk.clock.advance(10)
    await ticks.advance()
    await ticks.advance()
    desk.clock.advance(35)
    await ticks.advance()
    assert desk.firings.ticks == [1010, 1020, 1030, 1040]
    assert ticks.waits(moment_of(desk.clock())) == moment_of(1050)


@pytest.mark.parametrize(("missed", "fired"), [("skip", []), ("once", [1030]), ("all", [1010, 1020, 1030])])
async def test_ticks_that_nobody_was_there_for_follow_the_policy(missed: str, fired: list[int]):
    desk = Desk(ticking, begun=1035.0, missed=missed)
    ticks = desk.ticks(Standing(reached=moment_of(1000)))
    await ticks.advance()
    assert desk.firings.ticks == fired
    assert desk.firings.standings["ticking"].reached == moment_of(1035)
    desk.clock.advance(5)
    await ticks.advance()
    assert desk.firings.ticks == [*fired, 1040]


async def test_the_policy_goes_on_where_a_leader_has_died():
    """The next leader fires those missed ticks that the dead one did not come to."""
    desk = Desk(ticking, begun=1035.0, missed="all")
    desk.leads = False
    first = desk.ticks(Standing(reached=moment_of(1000)))

    async def one(tick: datetime) -> Tick:
        desk.leads = False
        return Tick()

    desk.leads = True
    desk.schedule = _with(desk.schedule, one)
    first._schedule = desk.schedule
    await first.advance()
    assert desk.firings.ticks == [1010]
    desk.leads, desk.schedule = True, _with(desk.schedule, ticking)
    await desk.ticks(desk.firings.standings["ticking"]).advance()
    assert desk.firings.ticks == [1010, 1020, 1030]


def _with(schedule: Any, call: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(schedule, call=call)


async def test_a_paused_schedule_has_missed_nothing():
    desk = Desk(ticking, begun=1035.0, missed="all")
    desk.firings.standings["ticking"] = standing = Standing(reached=moment_of(1000), paused_at=1001.0)
    ticks = desk.ticks(standing)
    await ticks.advance()
    desk.clock.advance(10)
    await ticks.advance()
    assert desk.firings.ticks == []
    desk.firings.standings["ticking"] = Standing(reached=moment_of(1045))
    desk.clock.advance(10)
    await ticks.advance()
    assert desk.firings.ticks == [1050]


async def test_a_clock_that_steps_back_fires_nothing_twice():
    desk = Desk(ticking)
    ticks = desk.ticks()
    desk.clock.advance(25)
    await ticks.advance()
    desk.clock.step(-15)
    now = moment_of(desk.clock())
    assert (ticks.waits(now) or 0) <= now
    for _ in range(31):
        await ticks.advance()
        desk.clock.advance(1)
    assert desk.firings.ticks == [1010, 1020, 1030, 1040]


async def test_a_clock_that_was_far_ahead_for_a_moment_stops_nothing():
    """Ticks that were passed over fire when their time comes; none of those far ahead is taken back."""
    desk = Desk(ticking, missed="skip")
    ticks = desk.ticks()
    desk.clock.step(86_400)
    await ticks.advance()
    desk.clock.step(-86_400)
    desk.clock.advance(10)
    await ticks.advance()
    await ticks.advance()
    assert desk.firings.ticks == []
    desk.clock.advance(10)
    await ticks.advance()
    assert desk.firings.ticks == [1020]


async def test_a_leader_that_finds_a_clock_set_back_has_missed_nothing():
    desk = Desk(ticking, begun=1035.0, missed="all")
    ticks = desk.ticks(Standing(reached=moment_of(1100)))
    await ticks.advance()
    desk.clock.advance(5)
    await ticks.advance()
    assert desk.firings.ticks == [1040]


async def test_ticks_that_have_waited_for_a_minute_were_missed():
    """A function that takes longer than there is between two ticks does not lead to ever more of them."""
    desk = Desk(ticking, missed="once")
    ticks = desk.ticks()
    desk.clock.advance(100)
    await ticks.advance()
    assert desk.firings.ticks == [1100]


async def test_an_outage_is_waited_out_with_the_same_tick():
    desk = Desk(ticking)
    ticks = desk.ticks()
    desk.clock.advance(10)
    desk.firings.outages = 1
    await ticks.advance()
    assert desk.firings.ticks == []
    await ticks.advance()
    assert desk.firings.ticks == [1010]


async def test_a_fault_of_the_scheduler_itself_does_not_come_for_ever():
    desk = Desk(ticking)
    ticks = desk.ticks()
    desk.clock.advance(10)
    desk.firings.fault = RuntimeError("a bug")
    await ticks.advance()
    desk.firings.fault = None
    await ticks.advance()
    assert desk.firings.ticks == []
    desk.clock.advance(10)
    await ticks.advance()
    assert desk.firings.ticks == [1020]


async def test_a_firing_that_fails_does_not_hold_up_the_next():
    async def fails(tick: datetime) -> Tick:
        raise OSError("broken")

    desk = Desk(fails)
    ticks = desk.ticks()
    desk.clock.advance(20)
    await ticks.advance()
    assert desk.firings.ticks == [1010, 1020]
    assert [firing.error_type for firing in desk.firings.fired.values()] == ["OSError", "OSError"]


async def test_nothing_more_is_fired_by_who_has_lost_the_lead_or_stops():
    desk = Desk(ticking)
    ticks = desk.ticks()
    desk.clock.advance(30)
    desk.leads = False
    await ticks.advance()
    assert desk.firings.ticks == []
