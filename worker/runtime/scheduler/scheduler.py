"""The scheduler of a process: takes the lead or stands by, and fires ticks as long as it leads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from worker.errors import Unavailable
from worker.messaging.firing import Firings, Lead, Leadership
from worker.messaging.identity import Clock
from worker.messaging.outage_log import OutageLog
from worker.messaging.schedule import Schedule
from worker.runtime.scheduler.firing import Fires
from worker.runtime.scheduler.ticks import Ticks
from worker.schedules.moments import SECOND, Moment, moment_of

LOCK = "scheduler"
"""Name of the lock that the leader holds."""

LEASE = 6.0
"""Seconds after which another process may take the lead of one that has died."""

KEEP = 1.5
"""Seconds between two takings of the lead, and between two looks at it: with the lease less than 10 s."""

_LOOK = 0.5
"""Seconds between two looks at the clock, which may have been set."""

log = structlog.stdlib.get_logger("worker.scheduler")


class Scheduler:
    """Fires the schedules of an application while this process leads.

    Args:
        schedules: all of them.
        fires: fires ticks.
        firings: where is kept what was fired.
        leadership: the named locks.
        worker: name of this process.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        schedules: Sequence[Schedule],
        fires: Fires,
        firings: Firings,
        leadership: Leadership,
        worker: str,
        clock: Clock,
    ) -> None:
        self._schedules = schedules
        self._fires = fires
        self._firings = firings
        self._leadership = leadership
        self._lead = Lead(LOCK, worker)
        self._clock = clock
        self._stopping = asyncio.Event()
        self._leads = False
        self._wake = asyncio.Event()

    def stop(self, reason: str) -> None:
        """Fire nothing new and let go of the lead when what runs has ended. Idempotent."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Take the lead or stand by, until stopped; outages are waited out."""
        if not self._schedules:
            log.info("no schedule is declared")
            await self._stopping.wait()
        told = False
        outage = OutageLog(log, "scheduler waits", "scheduler goes on")
        while not self._stopping.is_set():
            try:
                leads = await self._take()
                outage.over()
                if leads:
                    told = False
                    await self._led()
                elif not told:
                    told = True
                    log.info("scheduler stands by: another one leads")
            except Unavailable as error:
                outage.met(error)
            except Exception:  # whatever it was, schedules must go on
                log.exception("scheduler begins anew")
            await self._within(KEEP)

    async def _take(self) -> bool:
        return await self._leadership.take(self._lead.lock, self._lead.worker, LEASE)

    async def _led(self) -> None:
        """Fire ticks while this process leads."""
        log.info("scheduler leads", worker=self._lead.worker, schedules=len(self._schedules))
        self._leads = True
        keeping = asyncio.create_task(self._keep_lead())
        running: dict[Ticks, asyncio.Task[None]] = {}
        try:
            await self._fire_due(running)
            if self._leads and running:  # stopping: what runs is finished
                await asyncio.wait(running.values())
        finally:
            self._leads = False
            for task in (keeping, *running.values()):
                task.cancel()
            await asyncio.gather(keeping, *running.values(), return_exceptions=True)
            if self._stopping.is_set():
                await self._leadership.release(self._lead.lock, self._lead.worker)

    async def _fire_due(self, running: dict[Ticks, asyncio.Task[None]]) -> None:
        """Let the ticks of each schedule with something due advance, until stopped or deposed; what runs stays in ``running``."""
        triggers = {schedule.name: str(schedule.trigger) for schedule in self._schedules}
        arrived = moment_of(self._clock())
        standings = await self._firings.begin(triggers, arrived)
        all_ticks = [
            Ticks(
                schedule,
                standings[schedule.name],
                self._fires,
                self._firings,
                self._lead,
                self._clock,
                self._goes_on,
                arrived,
            )
            for schedule in self._schedules
        ]

        def ended(ticks: Ticks) -> None:
            """Look at it again."""
            running.pop(ticks, None)
            self._wake.set()

        while self._goes_on():
            self._wake.clear()
            now = moment_of(self._clock())
            nearest: Moment | None = None
            for ticks in all_ticks:
                if ticks in running:
                    continue
                tick = ticks.waits(now)
                if tick is not None and tick <= now:
                    running[ticks] = task = asyncio.create_task(ticks.advance())
                    task.add_done_callback(lambda _, ticks=ticks: ended(ticks))  # type: ignore[misc]
                elif tick is not None:
                    nearest = tick if nearest is None else min(nearest, tick)
            pause = _LOOK if nearest is None else min(_LOOK, (nearest - now) / SECOND)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _goes_on(self) -> bool:
        return self._leads and not self._stopping.is_set()

    async def _keep_lead(self) -> None:
        """Keep the lead, and notice when it is lost."""
        loop = asyncio.get_running_loop()
        kept = loop.time()
        while True:
            await asyncio.sleep(KEEP)
            try:
                async with asyncio.timeout(LEASE):
                    if not await self._take():
                        break
                kept = loop.time()
            except (Unavailable, TimeoutError) as error:
                log.warning("the lead could not be kept", error=str(error) or "no answer")
                if loop.time() - kept > LEASE:
                    break
        log.warning("scheduler has lost the lead")
        self._leads = False
        self._wake.set()

    async def _within(self, seconds: float) -> None:
        """Wait, shorter when stopped."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass
