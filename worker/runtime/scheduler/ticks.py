"""The ticks of one schedule: which is next, and what becomes of those that were missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from worker.errors import Unavailable
from worker.messaging.firing import Firings, Lead, Standing
from worker.messaging.identity import Clock
from worker.messaging.schedule import Schedule
from worker.runtime.scheduler.firing import Fires
from worker.schedules.missed import MOST, caught_up
from worker.schedules.moments import SECOND, Moment, moment_of, time_of

LATE = 60.0
"""Seconds: ticks that wait longer, as the function takes longer than there is between two of them, have been missed."""

_PAUSE = 1.0

log = structlog.stdlib.get_logger("worker.scheduler")


class Ticks:
    """The ticks of a schedule, one after the other, from where its standing says.

    Args:
        schedule: whose ticks these are.
        standing: how it stood when this process took the lead.
        fires: fires them.
        firings: where it is kept how far they are.
        lead: of this process.
        clock: seconds since the epoch; it may be set back and forth.
        leads: whether this process still has the lead, and is not stopping.
        arrived: when this process took the lead.
    """

    def __init__(
        self,
        schedule: Schedule,
        standing: Standing,
        fires: Fires,
        firings: Firings,
        lead: Lead,
        clock: Clock,
        leads: Callable[[], bool],
        arrived: Moment,
    ) -> None:
        self._schedule = schedule
        self._fires = fires
        self._firings = firings
        self._lead = lead
        self._clock = clock
        self._leads = leads
        self._reached = arrived if standing.paused else standing.reached
        self._arrived = arrived  # what lies before it and was not reached was missed
        self._next: Moment | None = None
        self._known: Moment | None = None

    def waits(self, now: Moment) -> Moment | None:
        """Return the next tick, None where there is none; what is not later than ``now`` is to be advanced over."""
        if now < self._reached or self._reached < self._arrived:
            return now
        if self._known != self._reached:
            self._known, self._next = self._reached, self._schedule.trigger.after(self._reached)
        return self._next

    async def advance(self) -> None:
        """Fire what is due. A fault is logged; it goes on with the next tick, and after an outage with the same one."""
        try:
            await self._advance()
        except Unavailable as error:
            log.warning("schedule waits", schedule=self._schedule.name, error=str(error))
            await asyncio.sleep(_PAUSE)
        except Exception:  # whatever it was, it must not come again for ever
            log.exception("schedule passed over a tick", schedule=self._schedule.name)
            self._reached = self._arrived = self._now()
            await asyncio.sleep(_PAUSE)

    async def _advance(self) -> None:
        if self._now() < self._reached:
            # the clock was set back: what is kept tells which ticks were fired already
            self._reached = self._arrived = now = self._now()
            await self._firings.reach(self._schedule.name, now)
        if self._reached < self._arrived:
            await self._catch_up(self._arrived)
        while self._leads():
            now = self._now()
            tick = self.waits(now)
            if tick is None or tick > now or now < self._reached:
                return
            if now - tick > LATE * SECOND:
                await self._catch_up(now)
                continue
            await self._fire(tick)

    async def _catch_up(self, until: Moment) -> None:
        """Fire what the schedule wants of the ticks that were missed."""
        schedule, since = self._schedule, self._reached
        first = schedule.trigger.after(since)
        if first is not None and first <= until:
            ticks, dropped = caught_up(schedule.trigger, schedule.missed, since, until)
            log.warning(
                f"ticks were missed; more than {MOST}: the last ones are fired"
                if dropped
                else "ticks were missed",
                schedule=schedule.name,
                first=time_of(first).isoformat(),
                missed=schedule.missed,
                fires=len(ticks),
            )
            for tick in ticks:
                if not self._leads():
                    return
                await self._fire(tick)
            await self._firings.reach(schedule.name, until)
        self._reached = max(self._reached, until)

    async def _fire(self, tick: Moment) -> None:
        await self._fires.fire(self._schedule, tick, lead=self._lead)
        self._reached = tick

    def _now(self) -> Moment:
        return moment_of(self._clock())
