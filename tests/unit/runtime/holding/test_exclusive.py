"""Exclusive commands: alone among the commands of the fleet, whatever becomes of them, and no pause is undone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.unit.runtime.house import house, until
from worker import App, PauseConsumers, ResumeConsumers, Retry
from worker.messaging.bus import timestamp
from worker.messaging.envelope import Envelope
from worker.messaging.paused import PausedQueues
from worker.messaging.stamps import Received
from worker.runtime.holding import exclusive
from worker.runtime.holding.exclusive import FleetExclusivity
from worker.runtime.options import ConsumeOptions
from worker.state.exclusive import SqlExclusive
from worker.state.workers import Heartbeat
from worker.wiring.consumers_document import consumers_document
from worker.wiring.consuming import make_consumers


class Work(msgspec.Struct, frozen=True):
    number: int


class Rebuild(msgspec.Struct, frozen=True):
    number: int


class Happened(msgspec.Struct, frozen=True):
    number: int


class Hall:
    """Ordinary commands and exclusive ones, that note what runs beside them."""

    def __init__(self):
        self.app = App("hall")
        self.now = set()
        self.beside = []
        self.events = []
        self.done = []
        self.may = asyncio.Event()
        self.may.set()
        self.fails = False
        self.app.command(retry=Retry(max_retries=0))(Work)
        self.app.command(retry=Retry(max_retries=0), exclusive=True)(Rebuild)
        self.app.event(Happened)

        async def work(command: Work) -> None:
            await self.run(("work", command.number))

        async def rebuild(command: Rebuild) -> None:
            await self.run(("rebuild", command.number))
            if self.fails:
                raise RuntimeError("as the test wants it")

        async def hear(event: Happened) -> None:
            self.events.append(event.number)

        for call, cls in ((work, Work), (rebuild, Rebuild)):
            call.__annotations__ = {"command": cls, "return": None}
            self.app.handler(call)
        hear.__annotations__ = {"event": Happened, "return": None}
        self.app.subscriber(hear)

    async def run(self, me):
        self.now.add(me)
        self.note()
        try:
            await self.may.wait()
            await asyncio.sleep(0)
        finally:
            self.now.discard(me)
        self.done.append(me)

    def note(self):
        if any(kind == "rebuild" for kind, _ in self.now) and len(self.now) > 1:
            self.beside.append(set(self.now))


@asynccontextmanager
async def working(hall):
    """A worker that looks at the stored state all the time."""
    async with house(hall.app) as it:
        made = make_consumers(it.service, ConsumeOptions(concurrency=3))
        worker, control = made.worker, made.control
        await control.look()
        running = asyncio.create_task(worker.run(5.0))

        async def look():
            while True:
                await control.look()
                await asyncio.sleep(0)

        looking = asyncio.create_task(look())
        try:
            yield it
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            worker.stop()
            await running
            for consumer in worker.consumers:
                await consumer.close(1.0)


@pytest.mark.parametrize("fails", [False, True])
async def test_it_overlaps_nothing_though_it_fails(fails):
    """Ordinary commands before and after it, several exclusive ones: never two of them at once."""
    hall = Hall()
    hall.fails = fails
    async with working(hall) as it:
        for number in range(4):
            await it.send(*(Work(number * 10 + n) for n in range(10)), Rebuild(number))
        ended = {"failed"} if fails else {"done"}
        await until(lambda: len(hall.done) == 44)
        await until(lambda: len(it.finished) >= 44)
        assert hall.beside == []
        assert {one.outcome for one in it.finished if one.type == "Rebuild"} - {"returned"} == ended


async def test_it_waits_for_what_runs_and_events_go_on():
    """Commands that run are finished first; events are no commands."""
    hall = Hall()
    async with working(hall) as it:
        hall.may.clear()
        await it.send(Work(1))
        await until(lambda: hall.now == {("work", 1)})
        await it.send(Rebuild(1))
        await until(lambda: it.service.fleet.paused.queues)
        await it.send(Work(2))
        await it.service.buses.dispatch["event"].dispatch(Happened(1))
        await until(lambda: hall.events == [1])
        assert hall.now == {("work", 1)}
        hall.may.set()
        await until(lambda: len(hall.done) == 3)
        assert [kind for kind, _ in hall.done] == ["work", "rebuild", "work"]
        assert hall.beside == []


async def test_an_operators_pause_outlives_it():
    """What was paused before or during it is paused afterwards, and it says nothing of it in the document."""
    hall = Hall()
    async with working(hall) as it:
        hall.may.clear()
        await it.send(Rebuild(1))
        await until(lambda: hall.now == {("rebuild", 1)})
        shown = {item["type"]: item for item in (await consumers_document(it.service))["consumers"]}
        assert not any(item["paused"] for item in shown.values())
        held = (await consumers_document(it.service))["exclusive"]
        assert (held["type"], held["worker"]) == ("Rebuild", it.service.process.name)
        assert held["since"] <= timestamp(it.service.process.clock())
        await it.service.buses.dispatch["command"].dispatch(PauseConsumers(types=("Work",)))
        await it.send(Work(1))
        hall.may.set()
        await until(lambda: hall.done == [("rebuild", 1)])
        async with asyncio.timeout(20):
            while (await consumers_document(it.service))["exclusive"] is not None:
                await asyncio.sleep(0)
        await it.send(Rebuild(2))
        await until(lambda: len(hall.done) == 2)
        assert hall.done[-1] == ("rebuild", 2)
        await it.service.buses.dispatch["command"].dispatch(ResumeConsumers(types=("Work",)))
        await until(lambda: len(hall.done) == 3)


async def test_a_pause_while_it_waits_is_heard():
    """It gives up the lock and goes back to its queue, uncharged."""
    hall = Hall()
    async with working(hall) as it:
        hall.may.clear()
        await it.send(Work(1))
        await until(lambda: hall.now)
        (id,) = await it.send(Rebuild(1))
        await until(lambda: it.service.fleet.paused.exempt)
        await it.service.buses.dispatch["command"].dispatch(PauseConsumers(types=("Rebuild",)))
        await until(lambda: "returned" in it.outcomes())
        hall.may.set()
        await it.send(Work(2))
        await until(lambda: len(hall.done) == 2)
        assert (await it.service.status.standing.get(id)).status == "accepted"
        await it.service.buses.dispatch["command"].dispatch(ResumeConsumers())
        await until(lambda: hall.done[-1] == ("rebuild", 1))


async def test_it_waits_for_workers_elsewhere_and_not_for_the_dead():
    """A worker that has not said that nothing runs there is waited for, as long as it lives."""
    hall = Hall()
    async with working(hall) as it:
        other = Heartbeat(id="other", host="h", pid=1, started_at=it.clock(), types=("Work",))
        await it.service.fleet.workers.beat(other)
        await it.send(Rebuild(1))
        await until(lambda: it.service.fleet.paused.exempt)
        for _ in range(50):
            await asyncio.sleep(0)
        assert hall.now == set()
        it.clock.advance(16)
        await until(lambda: hall.done == [("rebuild", 1)])


async def test_a_crash_releases_the_lock_by_its_time():
    """No message waits for a lock whose holder does not extend it; none can take it before its time is over."""
    hall = Hall()
    async with working(hall) as it:
        lock = SqlExclusive(it.service.state.database)
        assert await lock.take("dead", "m1", "Rebuild", 30.0) is not None
        assert await lock.take("other", "m2", "Rebuild", 30.0) is None
        await until(lambda: it.service.fleet.paused.queues)
        await it.send(Work(1), Rebuild(1))
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert hall.done == []
        assert await lock.extend("m1", 30.0)
        it.clock.advance(31)
        await until(lambda: len(hall.done) == 2)
        assert hall.beside == []


class Granting:
    """A lock that no other command wants."""

    async def take(self, worker, message_id, type_name, lease):
        return 1

    async def extend(self, message_id, lease):
        return True

    async def release(self, message_id):
        pass


@pytest.mark.parametrize(("lease", "said"), [(30.0, 0), (-0.001, 1)])
async def test_a_lock_whose_time_was_over_is_told_of(monkeypatch, lease, said):
    """A process that stood still for longer than its lease was not alone: the log names the message, also at its end."""
    monkeypatch.setattr(exclusive, "LEASE", lease)
    monkeypatch.setattr(exclusive, "_POLL", 0.0)

    async def none(version):
        return ()

    fleet = FleetExclusivity(Granting(), none, PausedQueues(), "w1")
    envelope = Envelope(message=Rebuild(1), type="Rebuild", id="m1", source="hall")
    with capture_logs() as lines:
        await fleet.enter(envelope, Received("memory", "hall-rebuild"))
        await fleet.leave(envelope)
    told = [(line["type"], line["id"]) for line in lines if "lapsed" in line["event"]]
    assert told == [("Rebuild", "m1")] * said
