"""A worker and the stored pauses: nothing before they are known, nothing after a pause is reported."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.unit.runtime.house import house, until
from worker import App, PauseConsumers, ResumeConsumers
from worker.errors import DatabaseUnavailable, TransportUnavailable
from worker.runtime.options import ConsumeOptions
from worker.state.workers import Heartbeat
from worker.wiring.consuming import make_consumers
from worker.wiring.programs.working import Working


class Place(msgspec.Struct, frozen=True):
    number: int


class Mail(msgspec.Struct, frozen=True):
    number: int


class Shop:
    """Two commands whose handlers wait until they may finish."""

    def __init__(self):
        self.app = App("shop")
        self.started = []
        self.done = []
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self.before = asyncio.Event()
        self.before.set()
        self.app.command(Place)
        self.app.command(Mail)

        async def place(command: Place) -> None:
            await self.handle("place", command.number)

        async def mail(command: Mail) -> None:
            await self.handle("mail", command.number)

        place.__annotations__ = {"command": Place, "return": None}
        mail.__annotations__ = {"command": Mail, "return": None}
        self.app.handler(place)
        self.app.handler(mail)

        @self.app.middleware(on="consume")
        async def slow(envelope, call_next):
            self.arrived = True
            await self.before.wait()
            return await call_next(envelope)

    arrived = False

    async def handle(self, kind, number):
        self.started.append((kind, number))
        await self.may_finish.wait()
        self.done.append((kind, number))


@pytest.fixture
def shop():
    return Shop()


async def stop(it, running):
    it.worker.stop()
    await running
    for consumer in it.worker.consumers:
        await consumer.close(1.0)


def controlled(it, **options):
    """A worker that runs, and its control, which looks when it is told to."""
    running = it.start(**options)
    return running, it.consumers.control


async def send(it, command):
    return (await it.service.buses.dispatch["command"].dispatch(command)).id


def deaths(deliveries):
    return {delivery.deaths for delivery in deliveries}


async def test_a_paused_type_starts_nothing_and_others_go_on(shop):
    """After the look that applies it nothing of the type starts, what was prefetched is free, the rest runs."""
    async with house(shop.app) as it:
        shop.may_finish.clear()
        await it.send(*(Place(number) for number in range(20)))
        running, control = controlled(it, concurrency=2)
        await until(lambda: len(shop.started) == 2)
        await send(it, PauseConsumers(types=("Place",)))
        await control.look()
        shop.may_finish.set()
        await it.send(*(Mail(number) for number in range(5)))
        await until(lambda: len(shop.done) == 7)
        assert len([one for one in shop.started if one[0] == "place"]) == 2
        free = await it.waiting("shop-place")
        assert len(free) == 18
        assert deaths(free) == {0}
        await stop(it, running)


async def test_resume_takes_up_where_it_was_left_in_order(shop):
    """What was given back comes first again, in the order it was sent."""
    async with house(shop.app) as it:
        shop.may_finish.clear()
        await it.send(*(Place(number) for number in range(30)))
        running, control = controlled(it, concurrency=1)
        await until(lambda: shop.started)
        await send(it, PauseConsumers())
        await control.look()
        shop.may_finish.set()
        await send(it, ResumeConsumers())
        await control.look()
        await until(lambda: len(shop.done) == 30)
        assert [number for _, number in shop.started] == list(range(30))
        await stop(it, running)


async def test_a_broker_that_is_away_is_told_of_with_what_was_wanted(shop):
    """A resume that its broker was not told of is no pause."""

    async def away():
        raise TransportUnavailable("gone")

    async with house(shop.app) as it:
        running, control = controlled(it)
        with capture_logs() as lines:
            for done in ("paused", "resumed"):
                await control._settled(it.worker.consumers[0], away, done)
        assert [line["event"] for line in lines if line["log_level"] == "warning"] == [
            f"queue is {done} here; its broker is not told" for done in ("paused", "resumed")
        ]
        await stop(it, running)


async def test_what_has_not_reached_its_handler_is_turned_back(shop):
    """A message on its way through the middleware when the pause is applied does not start, and is not charged."""
    async with house(shop.app) as it:
        shop.before.clear()
        (id,) = await it.send(Place(1))
        running, control = controlled(it)
        await until(lambda: shop.arrived)
        await send(it, PauseConsumers(types=("Place",)))
        await control.look()
        shop.before.set()
        await until(lambda: it.outcomes() == ["returned"])
        assert shop.started == []
        await until(lambda: len(it.log) > 0 and it.log[-1][0] == "release")
        assert deaths(await it.waiting("shop-place")) == {0}
        shown = await it.service.status.standing.get(id)
        assert (shown.status, shown.paused) == ("accepted", True)
        await stop(it, running)


async def test_a_worker_reports_before_it_looks_and_after_it_applied(shop):
    """A pause that is made after the first report waits for this worker, until it reports that the pause is applied."""
    async with house(shop.app) as it:
        running, control = controlled(it)
        reports = []
        inner = control.report

        async def report():
            reports.append((control.applied, control.known.is_set()))
            await inner()

        control.report = report
        await send(it, PauseConsumers(types=("Place",), reason="deploy", actor="anna"))
        await control.look()
        assert reports == [(0, False), (1, True)]
        applied = await it.service.fleet.pausing.applied(1)
        assert (applied.share, applied.lagging) == ("1/1", ())
        await send(it, ResumeConsumers())
        applied = await it.service.fleet.pausing.applied(2)
        assert (applied.share, applied.lagging) == ("0/1", (it.service.process.name,))
        await stop(it, running)


class Lost:
    """A database that does not answer."""

    async def version(self):
        raise DatabaseUnavailable("gone")

    async def read(self):
        raise DatabaseUnavailable("gone")


async def test_nothing_is_known_before_the_database_has_answered(shop):
    """The worker says so, and why, and that it consumes nothing."""
    async with house(shop.app) as it:
        running, control = controlled(it)
        desired, control._desired = control._desired, Lost()
        await control.look()
        assert not control.known.is_set()
        assert control.reasons == ["pauses: gone; nothing is consumed"]
        control._desired = desired
        await control.look()
        assert control.known.is_set()
        assert control.reasons == []
        await stop(it, running)


async def test_the_last_known_state_holds_while_the_database_is_away(shop):
    """Also for a pause that ends by itself meanwhile."""
    async with house(shop.app) as it:
        running, control = controlled(it)
        await send(it, PauseConsumers(types=("Place",), seconds=10))
        await control.look()
        control._desired = Lost()
        await it.send(Place(1))
        await control.look()
        assert control.reasons == ["pauses: gone; the pauses as of version 1 hold"]
        assert it.worker.consumers[0].paused
        it.clock.advance(10)
        await control.look()
        await until(lambda: shop.done == [("place", 1)])
        await stop(it, running)


async def test_a_burst_ends_though_a_queue_is_paused(shop):
    """What is paused is not due."""
    async with house(shop.app) as it:
        await it.send(Place(1), Mail(2))
        await send(it, PauseConsumers(types=("Place",)))
        made = make_consumers(it.service, ConsumeOptions(concurrency=1, burst=True))
        await made.control.look()
        async with asyncio.timeout(10):
            await made.worker.run(5.0, burst=True)
        assert shop.done == [("mail", 2)]


async def test_a_long_pause_ends_step_by_step_and_a_short_one_at_once(shop):
    """The first message alone, the next when it has ended well; a fleet of several shares the rate."""
    async with house(shop.app) as it:
        running, control = controlled(it, concurrency=8)
        place = next(one for one in it.worker.consumers if one.types == ("Place",))
        await send(it, PauseConsumers())
        await control.look()
        it.clock.advance(59)
        await send(it, ResumeConsumers())
        await control.look()
        assert place.pace.throttle is None
        await send(it, PauseConsumers())
        await control.look()
        await it.service.fleet.workers.beat(
            Heartbeat(id="other", host="h", pid=1, started_at=it.clock(), types=("Place",))
        )
        shop.may_finish.clear()
        it.clock.advance(60)
        await it.service.fleet.workers.beat(
            Heartbeat(id="other", host="h", pid=1, started_at=it.clock(), types=("Place",))
        )
        await it.service.fleet.beat(("Place",), 3)
        control._ramps._counted_at = float("-inf")
        await it.send(*(Place(number) for number in range(50)))
        await send(it, ResumeConsumers())
        await control.look()
        assert place.pace.throttle.share == 0.5
        await until(lambda: shop.started)
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(shop.started) == 1
        shop.may_finish.set()
        await until(lambda: len(shop.done) == 50)
        place.pace.throttle._bound_at -= 10.0
        await control.look()
        assert place.pace.throttle is None
        await stop(it, running)


async def test_a_worker_that_starts_after_a_long_pause_takes_it_slowly_too(shop):
    """One that is added while the others still take up the backlog must not flatten what they spare."""
    async with house(shop.app) as it:
        await send(it, PauseConsumers(types=("Place",)))
        it.clock.advance(100)
        await send(it, ResumeConsumers(types=("Place",)))
        it.clock.advance(30)
        running, control = controlled(it)
        await control.look()
        throttled = [one.types for one in it.worker.consumers if one.pace.throttle]
        assert throttled == [("Place",)]
        await stop(it, running)


@pytest.mark.parametrize("ended_by", ["limit", "signal"])
async def test_limits_and_signals_hold_while_nobody_can_tell_what_is_paused(shop, ended_by):
    """A database that refuses keeps a worker from consuming, and not from ending."""
    async with house(shop.app) as it:

        async def refused(*_args, **_facts):
            raise DatabaseUnavailable("database: it is read-only")

        await it.send(Place(1))
        it.service.fleet.workers.beat = refused
        options = ConsumeOptions(time_limit=0.0 if ended_by == "limit" else None, graceful_timeout=1.0)
        made = make_consumers(it.service, options)
        job = Working(it.service, made, options)
        working = asyncio.create_task(job.run())
        if ended_by == "signal":
            await until(lambda: made.control.stale)
            job.stop("SIGTERM")
        async with asyncio.timeout(20):
            await working
        assert made.worker.stopped_by == ("SIGTERM" if ended_by == "signal" else "time limit of 0 s")
        assert shop.started == []
