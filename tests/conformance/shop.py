"""A small application and its service over one transport, to test workers on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.conformance import bench
from tests.conformance import waiting as waits
from tests.conformance.clock import Clock
from tests.conformance.paced import paced
from tests.conformance.waiting import eventually
from worker import App, Context, PauseConsumers, ResumeConsumers, Retry
from worker.errors import TransportUnavailable
from worker.messaging.observing import Ended, Observer
from worker.messaging.transport import Delivery, Outgoing, Release, Transport
from worker.runtime.holding.control import Control
from worker.runtime.options import ConsumeOptions
from worker.runtime.taking.consumer import Consumer
from worker.runtime.worker import Worker
from worker.settings import DatabaseSettings, Settings, TransportSettings, WorkerSettings
from worker.wiring.consuming import make_consumers
from worker.wiring.service import Service, opened

QUEUE = "place-order"


class PlaceOrder(msgspec.Struct, frozen=True):
    number: int


class Note(msgspec.Struct, frozen=True):
    """Another type, on a queue of its own."""

    number: int


class Rush(msgspec.Struct, frozen=True):
    """A type whose messages go before the others'."""

    number: int


class Shop:
    """Counts and holds up its handler; starts and stops workers."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.gate = asyncio.Event()
        self.gate.set()
        self.failing: Callable[[PlaceOrder, Context], bool] = lambda command, context: False
        self.started: Counter[int] = Counter()
        self.handled: Counter[int] = Counter()
        self.cancelled: Counter[int] = Counter()
        self.attempts: list[tuple[int, int]] = []
        self.quiet = 0.05
        self.running = 0
        self.most = 0
        self.finished: list[Ended] = []
        self.noted: list[int] = []
        self.order: list[str] = []
        self.controls: list[Control] = []
        self.workers: list[Worker] = []
        self.service: Service

    def app(self) -> App:
        app = App("shop")
        app.command(queue=QUEUE, retry=Retry(max_retries=2, delay=10.0, jitter=0.0))(PlaceOrder)
        app.handler(self._handler())
        app.command(Note)
        app.handler(self._noter())
        app.command(priority=9)(Rush)
        app.handler(self._rusher())
        return app

    @property
    def transport(self) -> Any:
        return self.service.brokers.transports["jobs"]

    async def send(self, *numbers: int) -> None:
        for number in numbers:
            await self.service.buses.dispatch["command"].dispatch(PlaceOrder(number))

    async def note(self, *numbers: int) -> None:
        for number in numbers:
            await self.service.buses.dispatch["command"].dispatch(Note(number))

    async def rush(self, urgent: int, plain: int) -> None:
        """Send messages that go before the others, and of the others, which come first."""
        dispatch = self.service.buses.dispatch["command"].dispatch
        await asyncio.gather(*(dispatch(Note(number)) for number in range(plain)))
        await asyncio.gather(*(dispatch(Rush(number)) for number in range(urgent)))

    async def pause(self, *types: str) -> None:
        """Pause, and return when every worker has applied it."""
        await self.service.buses.dispatch["command"].dispatch(PauseConsumers(types=types))
        await self.look()

    async def resume(self, *types: str) -> None:
        await self.service.buses.dispatch["command"].dispatch(ResumeConsumers(types=types))
        await self.look()

    async def look(self) -> None:
        for control in self.controls:
            await control.look()

    async def raw(self, body: bytes, message_id: str = "raw") -> None:
        (outcome,) = await self.transport.publish([Outgoing(queue=QUEUE, id=message_id, type="?", body=body)])
        assert outcome.accepted

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.service.sending.relay.notify()  # what no broker could delay waits in the database
        self.transport.wake()

    @asynccontextmanager
    async def worker(
        self, concurrency: int = 4, grace: float = 5.0, **options_: Any
    ) -> AsyncIterator[Worker]:
        """A worker that runs meanwhile, and is stopped within ``grace`` seconds afterwards."""
        options = ConsumeOptions(concurrency=concurrency, **options_)
        made = make_consumers(self.service, options)
        worker, control = made.worker, made.control
        await control.look()
        for consumer in worker.consumers:
            await _open(consumer)
        self.controls.append(control)
        running = asyncio.ensure_future(worker.run(grace, burst=options.burst))
        self.workers.append(worker)
        try:
            yield worker
        finally:
            self.controls.remove(control)
            self.workers.remove(worker)
            worker.stop()
            await running
            await made.close()

    async def until_handled(self, count: int) -> None:
        await eventually(lambda: sum(self.handled.values()) >= count, f"{count} messages handled")

    async def until_waiting(self, count: int) -> list[Delivery]:
        """What can be had from the queue, once that is so many messages."""
        loop = asyncio.get_running_loop()
        end = loop.time() + waits.PATIENCE
        while True:
            got = await self.waiting()
            assert len(got) <= count
            if len(got) == count or loop.time() > end:
                assert len(got) == count, f"{len(got)} of {count} messages wait"
                return got

    async def until_settled(self) -> None:
        """Until the broker has answered everything that was settled, and nothing is held."""
        await eventually(
            lambda: all(consumer.idle for worker in self.workers for consumer in worker.consumers),
            "all that was taken is settled",
        )

    async def waiting(self) -> list[Delivery]:
        """What can be had from the queue now; given back at once."""
        for spec in self.service.process.routes.queues["jobs"]:
            if spec.name == QUEUE:
                subscription = await self.transport.subscribe(spec, slots=100)
                await bench.dealt_out(subscription)
                got: list[Delivery] = []
                while more := await subscription.receive(100, max(self.quiet, bench.QUIET)):
                    got.extend(more)
                await subscription.settle([Release(delivery) for delivery in got])
                await subscription.close(1.0)
                return got
        raise AssertionError("the queue is not consumed")

    def _noter(self) -> Any:
        async def note(command: Note) -> None:
            self.noted.append(command.number)
            self.order.append("Note")

        note.__annotations__ = {"command": Note, "return": None}
        return note

    def _rusher(self) -> Any:
        async def rush(command: Rush) -> None:
            self.order.append("Rush")

        rush.__annotations__ = {"command": Rush, "return": None}
        return rush

    def _handler(self) -> Any:
        async def place_order(command: PlaceOrder, context: Context) -> None:
            self.started[command.number] += 1
            self.attempts.append((command.number, context.attempt))
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                await self.gate.wait()
                if self.failing(command, context):
                    raise RuntimeError("as the test wants it")
            except asyncio.CancelledError:
                self.cancelled[command.number] += 1
                raise
            finally:
                self.running -= 1
            self.handled[command.number] += 1

        place_order.__annotations__ = {"command": PlaceOrder, "context": Context, "return": None}
        return place_order


@asynccontextmanager
async def opened_shop(
    folder: Path,
    url: str,
    change: Callable[[Transport], Any] | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    pace: float | None = None,
) -> AsyncIterator[Shop]:
    """Open a shop's service over the transport of ``url``; ``change`` plants a bug around it.

    A ``pace`` is for brokers with a clock of their own: how long a second of the scenarios lasts, in seconds.
    """
    shop = Shop()
    settings = Settings(
        database=DatabaseSettings(url="sqlite:///state.db"),
        transports={"jobs": TransportSettings(url=url, options=dict(options or {}))},
        routing={"*": "jobs"},
        worker=WorkerSettings(
            connect_timeout=60.0
        ),  # the client of SQS reads its models first, on a busy machine
        base=folder,
    )
    observer = Observer(ended=shop.finished.append)
    async with opened(settings, shop.app().registry(), clock=shop.clock, observers=(observer,)) as service:
        shop.service = service
        if pace is not None:
            shop.quiet = 0.3  # there is a network in between
            service.brokers.transports["jobs"] = paced(service.brokers.transports["jobs"], pace)
            service.sending.senders["jobs"]._transport = service.brokers.transports[
                "jobs"
            ]  # copies are delayed, too
        if change is not None:
            service.brokers.transports["jobs"] = change(service.brokers.transports["jobs"])
        relaying = asyncio.ensure_future(service.sending.relay.run())
        try:
            yield shop
        finally:
            relaying.cancel()
            await asyncio.wait([relaying])


async def _open(consumer: Consumer) -> None:
    """Open it as a worker does: again where a broker on a busy machine did not answer in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + waits.PATIENCE
    while True:
        try:
            return await consumer.open()
        except TransportUnavailable:
            if loop.time() > deadline:
                raise
            await asyncio.sleep(0.05)
