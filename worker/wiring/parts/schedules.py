"""The schedules part: what fires them, and what can be done with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from heapq import merge
from itertools import islice, takewhile
from typing import Any

import msgspec

from worker.errors import NotFound, ScheduleFailed
from worker.messaging.bus import timestamp
from worker.messaging.firing import Standing
from worker.messaging.identity import Clock
from worker.messaging.schedule import Schedule
from worker.runtime.scheduler.alone import AloneFirings
from worker.runtime.scheduler.calling import Calling
from worker.runtime.scheduler.firing import Fired, Fires
from worker.runtime.scheduler.scheduler import LOCK, Scheduler
from worker.runtime.threads import Threads
from worker.schedules.moments import Moment, moment_of, seconds_of
from worker.schedules.trigger import Trigger
from worker.state.locks import SqlLocks
from worker.state.schedules import SqlSchedules
from worker.suggestion import hint
from worker.texts import NAME, storable, told
from worker.wiring.parts.buses import Buses
from worker.wiring.parts.process import Process
from worker.wiring.parts.sending import Sending
from worker.wiring.parts.state import State

_THREADS = 32
"""Plain functions of schedules that run at once, at most."""


class Schedules(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The schedules of the application.

    Attributes:
        by_name: as they are declared.
        scheduler: fires them while this process leads.
        fires: fires single ticks.
        store: how they stand.
        clock: seconds since the epoch; ticks go by it.
    """

    by_name: Mapping[str, Schedule]
    scheduler: Scheduler
    fires: Fires
    store: SqlSchedules
    clock: Clock

    async def document(self, count: int | None = None, since: float | None = None) -> dict[str, Any]:
        """The schedules document.

        Args:
            count: how many of the next ticks of each are told, too.
            since: seconds since the epoch from which on ticks count as next; None for now.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        standings, lead = await self.store.standings(), await self.store.leader(LOCK)
        after = moment_of(self.clock() if since is None else since) - (since is not None)
        return {
            "items": [
                _item(one, standings.get(one.name), after)
                | ({} if count is None else {"next": next_ticks(one.trigger, after, count)})
                for one in self.by_name.values()
            ],
            "scheduler": None if lead is None else {"worker": lead.worker, "since": timestamp(lead.since)},
        }

    async def pause(self, names: Sequence[str], actor: str, reason: str | None = None) -> list[str]:
        """Let the ticks of schedules pass by until they are resumed; name those that were not paused before.

        Raises:
            NotFound: there is none of a name; nothing was changed.
            DatabaseUnavailable: the database does not answer.
        """
        why = None if reason is None else storable(reason)
        return await self.store.pause(self._triggers(names), self._now(), storable(actor, NAME), why)

    async def resume(self, names: Sequence[str], actor: str) -> list[str]:
        """Fire their ticks again, those from now on; name those that were paused. Raises as ``pause``."""
        return await self.store.resume(self._triggers(names), self._now(), storable(actor, NAME))

    async def run(self, name: str, actor: str) -> tuple[str, ...]:
        """Fire a schedule now, also while it is paused, and return the ids of what it sends.

        Raises:
            NotFound: there is none of that name.
            DatabaseUnavailable: the database does not answer.
            ScheduleFailed: its function raised, or returned what cannot be sent.
        """
        now = self._now()
        await self.store.begin(self._triggers([name]), now)
        fired = await self.fires.fire(self.by_name[name], now, lead=None, actor=storable(actor, NAME))
        fired = fired or Fired(())
        if fired.error is not None:
            raise ScheduleFailed(f"schedule {name}: {told(fired.error)}") from fired.error
        return fired.ids

    async def pass_time(self, since: float, until: float) -> None:
        """Fire all ticks of a time, in their order, without the lead: for a process that alone fires.

        Args:
            since: seconds since the epoch; not included.
            until: included.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        if not self.by_name:
            return
        after, last = moment_of(since), moment_of(until)
        lines = [_named_ticks(one, after, last) for one in self.by_name.values()]
        await self.store.begin(self._triggers(list(self.by_name)), after)
        alone = AloneFirings(self.store.fire_all)
        fires = self.fires.over(alone)
        for tick, name in merge(*lines):
            await fires.fire(self.by_name[name], tick, lead=None)
        await alone.flush()

    async def prune(self, keep: float) -> None:
        """Forget old firings; see ``Prunes``."""
        await self.store.prune()

    def _triggers(self, names: Sequence[str]) -> dict[str, str]:
        for name in names:
            if name not in self.by_name:
                raise NotFound(f"no schedule {name!r} is declared{hint(name, self.by_name)}")
        return {name: str(self.by_name[name].trigger) for name in names}

    def _now(self) -> Moment:
        return moment_of(self.clock())


@asynccontextmanager
async def opened_schedules(
    process: Process, state: State, sending: Sending, buses: Buses
) -> AsyncIterator[Schedules]:
    """Make what fires schedules; nothing fires before the scheduler runs."""
    declared = process.registry.entries_of(Schedule)
    threads = Threads(min(_THREADS, max(1, len(declared))))
    store = SqlSchedules(state.database, process.name, sending.relay.notify)
    fires = Fires(buses.emitter.registry, store, Calling(threads), buses.emitter, process.clock)
    scheduler = Scheduler(declared, fires, store, SqlLocks(state.database), process.name, process.clock)
    try:
        yield Schedules(
            by_name={schedule.name: schedule for schedule in declared},
            scheduler=scheduler,
            fires=fires,
            store=store,
            clock=process.clock,
        )
    finally:
        threads.close()


def next_ticks(trigger: Trigger, after: Moment, count: int) -> list[str]:
    """Write the next ticks after a moment, RFC 3339 in UTC."""
    return [timestamp(seconds_of(tick)) for tick in islice(_ticks(trigger, after), count)]


def _ticks(trigger: Trigger, after: Moment) -> Iterator[Moment]:
    tick = trigger.after(after)
    while tick is not None:
        yield tick
        tick = trigger.after(tick)


def _named_ticks(schedule: Schedule, after: Moment, last: Moment) -> Iterator[tuple[Moment, str]]:
    """Give ticks with the schedule's name."""
    return (
        (tick, schedule.name)
        for tick in takewhile(lambda tick: tick <= last, _ticks(schedule.trigger, after))
    )


def _item(schedule: Schedule, standing: Standing | None, after: Moment) -> dict[str, Any]:
    when = {"cron": schedule.cron} if schedule.every is None else {"every": schedule.every}
    last = None if standing is None else standing.last
    paused = standing if standing is not None and standing.paused_at is not None else None
    return {
        "name": schedule.name,
        **when,
        "timezone": schedule.timezone,
        "missed": schedule.missed,
        "paused": paused is not None,
        "pause": None
        if paused is None
        else {
            "reason": paused.paused_reason,
            "actor": paused.paused_by,
            "since": timestamp(paused.paused_at or 0.0),
        },
        "next_at": next(iter(next_ticks(schedule.trigger, after, 1)), None),
        "last_at": None if last is None else timestamp(seconds_of(last.tick)),
        "last_id": last.ids[0] if last is not None and last.ids else None,
        "last_error": None
        if last is None or last.error_type is None
        else {"type": last.error_type, "message": last.error_message},
    }
