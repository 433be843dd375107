"""The scheduler: one leads and the others stand by; one that stops finishes and lets go of the lead; no fault ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from tests.unit.runtime.house import until
from tests.unit.runtime.scheduler.house import Desk, Tick, ticking
from worker.errors import DatabaseUnavailable
from worker.runtime.scheduler import scheduler as module
from worker.runtime.scheduler.scheduler import KEEP, LEASE, Scheduler

pytestmark = pytest.mark.usefixtures("_fast")


@pytest.fixture
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP", 0.002)
    monkeypatch.setattr(module, "_LOOK", 0.002)


class Locks:
    """One lock, whose lease is over when the test says so."""

    def __init__(self) -> None:
        self.holder: str | None = None
        self.outages = 0

    async def take(self, name: str, worker: str, lease: float) -> bool:
        if self.outages:
            self.outages -= 1
            raise DatabaseUnavailable("away")
        if self.holder in {None, worker}:
            self.holder = worker
        return self.holder == worker

    async def release(self, name: str, worker: str) -> None:
        if self.holder == worker:
            self.holder = None


def made(desk: Desk, locks: Locks, worker: str = "w1", *more: Any) -> Scheduler:
    return Scheduler([desk.schedule, *more], desk.fires, desk.firings, locks, worker, desk.clock)


@asynccontextmanager
async def running(scheduler: Scheduler) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(scheduler.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_another_takes_over_within_ten_seconds():
    assert LEASE + KEEP < 10


async def test_one_leads_and_another_takes_over_when_it_has_died():
    desk, locks = Desk(ticking, missed="all"), Locks()
    async with running(made(desk, locks)) as first:
        await until(lambda: locks.holder == "w1" and desk.firings.standings)
        async with running(made(desk, locks, "w2")):
            desk.clock.advance(10)
            await until(lambda: desk.firings.ticks == [1010])
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            desk.clock.advance(20)
            locks.holder = None  # its lease is over
            await until(lambda: desk.firings.ticks == [1010, 1020, 1030])
            assert locks.holder == "w2"


async def test_who_stops_finishes_what_runs_and_lets_go():
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tick: datetime) -> Tick:
        begun.set()
        await go_on.wait()
        return Tick()

    desk, locks = Desk(slow), Locks()
    scheduler = made(desk, locks)
    async with running(scheduler) as task:
        await until(lambda: desk.firings.standings)
        desk.clock.advance(30)
        await begun.wait()
        scheduler.stop("TERM")
        await asyncio.sleep(0)
        assert locks.holder == "w1"
        go_on.set()
        await task
    assert desk.firings.ticks == [1010]
    assert locks.holder is None


async def test_who_has_lost_the_lead_fires_nothing_until_it_has_it_again():
    desk, locks = Desk(ticking, missed="skip"), Locks()
    async with running(made(desk, locks)):
        await until(lambda: desk.firings.standings)
        locks.holder = "w2"
        scheduler = made(desk, locks)
        assert not await scheduler._take()
        await asyncio.sleep(0.02)
        desk.clock.advance(10)
        await asyncio.sleep(0.01)
        assert desk.firings.ticks == []
        locks.holder = None
        await until(lambda: locks.holder == "w1")
        await until(lambda: desk.firings.standings["ticking"].reached == 1_010_000_000)
        desk.clock.advance(10)
        await until(lambda: desk.firings.ticks == [1020])


async def test_a_schedule_whose_function_hangs_holds_up_no_other():
    async def hangs() -> None:
        await asyncio.Event().wait()

    desk = Desk(hangs, timeout=60.0)
    other = Desk(ticking)
    locks = Locks()
    async with running(made(desk, locks, "w1", other.schedule)):
        await until(lambda: desk.firings.standings)
        for count in (1, 2, 3):
            desk.clock.advance(10)
            await until(lambda count=count: len(desk.firings.ticks) == count)
    assert {name for name, _ in desk.firings.fired} == {"ticking"}


async def test_outages_are_waited_out():
    desk, locks = Desk(ticking), Locks()
    locks.outages = 3
    async with running(made(desk, locks)):
        await until(lambda: desk.firings.standings)
        locks.outages = 2
        await until(lambda: not locks.outages)
        desk.clock.advance(10)
        await until(lambda: desk.firings.ticks == [1010])


async def test_without_schedules_it_waits_to_be_stopped():
    desk, locks = Desk(ticking), Locks()
    scheduler = Scheduler([], desk.fires, desk.firings, locks, "w1", desk.clock)
    async with running(scheduler) as task:
        await asyncio.sleep(0)
        scheduler.stop("TERM")
        await task
    assert locks.holder is None
