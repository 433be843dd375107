"""Schedules whose firings are kept in memory, and a clock that tests set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from tests.conformance.clock import Clock
from worker import App
from worker.errors import DatabaseUnavailable
from worker.messaging.envelope import Envelope
from worker.messaging.firing import Firing, Lead, Standing
from worker.messaging.parcel import Parcel
from worker.messaging.schedule import Schedule
from worker.messaging.transport import Outgoing
from worker.runtime.scheduler.calling import Calling
from worker.runtime.scheduler.firing import Fires
from worker.runtime.scheduler.ticks import Ticks
from worker.runtime.threads import Threads
from worker.schedules.moments import SECOND, Moment, moment_of


class Tick(msgspec.Struct, frozen=True):
    at: str = ""


class Ask(msgspec.Struct, frozen=True):
    pass


def shop(*given: Any, **options: Any) -> tuple[App, Callable[[Any], Schedule]]:
    """An application, and what declares a schedule of it every 10 s."""
    app = App("shop")
    app.command(Tick)
    app.query(Ask)

    @app.handler
    async def handle(command: Tick) -> None: ...

    @app.handler
    async def answer(query: Ask) -> None: ...

    def scheduled(call: Any) -> Schedule:
        app.schedule(*given, **(options if given else {"every": 10.0} | options))(call)
        return app.registry().entries_of(Schedule)[-1]

    return app, scheduled


class Leaving(NamedTuple):
    parcels: Sequence[Parcel]
    inline: Sequence[Envelope[Any]]


class Sends:
    """Encodes nothing."""

    def __init__(self) -> None:
        self.fault: BaseException | None = None
        self.inline = False
        self.handled: list[str] = []

    async def collect(self, envelopes: Sequence[Envelope[Any]]) -> Leaving:
        if self.fault is not None:
            raise self.fault
        if self.inline:
            return Leaving((), envelopes)
        parcels = [
            Parcel("memory", Outgoing(queue="q", id=one.id, type=one.type, body=b"")) for one in envelopes
        ]
        return Leaving(parcels, ())

    async def handle_inline(self, envelopes: Sequence[Envelope[Any]]) -> None:
        self.handled += [one.id for one in envelopes]


class Firings:
    """What the database does, in memory."""

    def __init__(self) -> None:
        self.fired: dict[tuple[str, Moment], Firing] = {}
        self.sent: list[str] = []
        self.standings: dict[str, Standing] = {}
        self.outages = 0
        self.fault: Exception | None = None

    async def begin(self, triggers: Mapping[str, str], now: Moment) -> Mapping[str, Standing]:
        for name in triggers:
            self.standings.setdefault(name, Standing(reached=now))
        return self.standings

    async def due(self, schedule: str, tick: Moment) -> bool:
        self._answer()
        standing = self.standings.get(schedule)
        return (schedule, tick) not in self.fired and not (standing is not None and standing.paused)

    async def fire(self, firing: Firing, parcels: Sequence[Parcel], lead: Lead | None) -> bool:
        self._answer()
        if self.fault is not None:
            raise self.fault
        if (firing.schedule, firing.tick) in self.fired:
            return False
        self.fired[firing.schedule, firing.tick] = firing
        self.sent += [parcel.outgoing.id for parcel in parcels]
        await self.reach(firing.schedule, firing.tick)
        return True

    async def reach(self, schedule: str, tick: Moment) -> None:
        self.standings[schedule] = msgspec.structs.replace(
            self.standings.get(schedule, Standing(reached=tick)), reached=tick
        )

    def _answer(self) -> None:
        if self.outages:
            self.outages -= 1
            raise DatabaseUnavailable("away")

    @property
    def ticks(self) -> list[float]:
        """Ticks that were fired, in seconds, in the order of firing."""
        return [tick / SECOND for _, tick in self.fired]


class Desk:
    """All that fires a schedule, around one function."""

    def __init__(
        self, call: Any, *given: Any, timeout: float = 5.0, begun: float = 1_000.0, **options: Any
    ) -> None:
        app, scheduled = shop(*given, **options)
        self.schedule = scheduled(call)
        self.clock = Clock(begun)
        self.firings = Firings()
        self.sends = Sends()
        self.threads = Threads(1)
        self.calling = Calling(self.threads, timeout)
        self.fires = Fires(app.registry(), self.firings, self.calling, self.sends, self.clock)
        self.lead = Lead("scheduler", "w1")
        self.leads = True

    def ticks(self, standing: Standing | None = None) -> Ticks:
        """The ticks of a process that has just taken the lead."""
        now = moment_of(self.clock())
        return Ticks(
            self.schedule,
            standing or Standing(reached=now),
            self.fires,
            self.firings,
            self.lead,
            self.clock,
            lambda: self.leads,
            now,
        )

    async def fire(self, tick: float = 1_010.0) -> Any:
        return await self.fires.fire(self.schedule, moment_of(tick), lead=self.lead)


async def ticking(tick: datetime) -> Tick:
    return Tick(tick.isoformat())


async def settled() -> None:
    """Let what is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)
