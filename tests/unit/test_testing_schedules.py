"""Schedules in the test kit: the clock is moved over days, and all ticks have come."""

from __future__ import annotations

from datetime import datetime

import msgspec

from worker import App
from worker.testing import TestWorker

DAY = 86_400.0


class Refresh(msgspec.Struct, frozen=True):
    day: str


def catalog() -> App:
    app = App("catalog")
    app.command(Refresh)

    @app.handler
    async def refresh(command: Refresh) -> None: ...

    @app.schedule("0 3 * * *", timezone="Europe/Berlin")
    def nightly(tick: datetime) -> Refresh:
        return Refresh(tick.isoformat())

    @app.schedule(every=43_200.0)
    async def twice_a_day() -> list[Refresh]:
        return [Refresh("noon"), Refresh("midnight")]

    return app


async def test_each_tick_of_the_days_gone_by_is_fired_once():
    async with TestWorker(catalog()) as worker:
        await worker.run_until_idle()
        assert worker.sent(Refresh) == []
        worker.clock.advance(3 * DAY)
        await worker.run_until_idle()
        days = [refresh.day for refresh in worker.handled(Refresh) if refresh.day.startswith("20")]
        assert days == [f"2023-11-{day}T03:00:00+01:00" for day in (15, 16, 17)]
        assert len(worker.handled(Refresh)) == 3 + 2 * 6
        await worker.run_until_idle()
        assert len(worker.sent(Refresh)) == 3 + 2 * 6


async def test_what_a_schedule_sends_is_in_the_order_of_the_ticks():
    async with TestWorker(catalog()) as worker:
        worker.clock.advance(DAY)
        await worker.run_until_idle()
        assert [refresh.day[:4] for refresh in worker.sent(Refresh)] == [
            "noon",
            "midn",
            "2023",
            "noon",
            "midn",
        ]


async def test_a_schedule_that_fails_holds_up_no_other():
    app = catalog()

    @app.schedule(every=50_000.0)
    def broken() -> None:
        raise OSError("broken")

    async with TestWorker(app) as worker:
        worker.clock.advance(DAY)
        await worker.run_until_idle()
        assert len(worker.handled(Refresh)) == 5
