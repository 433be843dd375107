"""A service over the memory transport whose clock stands still, and workers made for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from worker import App
from worker.messaging.observing import Ended, Observer
from worker.messaging.transport import Delivery, Outcome, Outgoing, Settled, Settlement
from worker.runtime.options import ConsumeOptions
from worker.runtime.worker import Worker
from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.testing import Clock
from worker.wiring.consuming import Consumers, make_consumers
from worker.wiring.service import Service, opened

DEADLINE = 10.0


async def until(condition: Callable[[], Any]) -> None:
    """Wait until something holds; fail when it never does."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.001)


class Watched:
    """A subscription that notes what is settled, in order."""

    def __init__(self, inner: Any, log: list[tuple[str, str]]) -> None:
        self.lease = inner.lease
        self.inner = inner
        self.log = log

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        return await self.inner.receive(limit, wait)

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        self.log += [(type(item).__name__.lower(), item.delivery.id) for item in items]
        return await self.inner.settle(items)

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        return await self.inner.extend(deliveries)

    async def pause(self) -> None:
        await self.inner.pause()

    async def resume(self) -> None:
        await self.inner.resume()

    async def close(self, grace: float) -> None:
        await self.inner.close(grace)


class House:
    """An application's service, and what happened at its broker (``log``) and to its messages (``finished``)."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self.service = service
        self.clock = clock
        self.log: list[tuple[str, str]] = []
        self.finished: list[Ended] = []
        self.worker: Worker | None = None
        self.consumers: Consumers | None = None
        self.broker: Any = service.brokers.transports["memory"]
        self.publish_fault: Exception | None = None
        self._publish = self.broker.publish
        self._subscribe = self.broker.subscribe
        self.broker.publish = self._published
        self.broker.subscribe = self._subscribed

    def without_replaces(self) -> None:
        """Make the broker one that cannot swap a message for its next attempt."""
        self.broker.features = msgspec.structs.replace(self.broker.features, replaces=False)

    async def send(self, *messages: Any, **facts: Any) -> list[str]:
        """Send commands; their ids."""
        return [(await self.service.buses.dispatch["command"].dispatch(one, **facts)).id for one in messages]

    async def put(self, queue: str, body: bytes, id: str) -> None:
        """Publish raw bytes."""
        await self._publish([Outgoing(queue=queue, id=id, type="x", body=body)])

    def start(self, *, graceful: float = 5.0, **options: Any) -> asyncio.Task[None]:
        """Start a worker with these options."""
        chosen = ConsumeOptions(**{"concurrency": 1, **options})
        self.consumers = make_consumers(self.service, chosen)
        self.worker = self.consumers.worker
        return asyncio.create_task(self.worker.run(graceful, burst=chosen.burst))

    async def run(self, **options: Any) -> str | None:
        """Run a worker to its end; why it stopped."""
        task = self.start(**options)
        async with asyncio.timeout(DEADLINE):
            await task
        assert self.worker is not None
        assert self.consumers is not None
        await self.consumers.close()
        return self.worker.stopped_by

    async def waiting(self, queue: str) -> list[Delivery]:
        """Take what waits on a queue now, to look at it; it comes back when the lease is over."""
        found = self.broker.queue(queue)
        return found.claim(1000, self.clock(), self.broker.lease)

    def outcomes(self) -> list[str]:
        """How messages ended, in order."""
        return [one.outcome for one in self.finished]

    async def _published(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        if self.publish_fault is not None:
            raise self.publish_fault
        self.log += [("publish", one.id) for one in batch]
        return await self._publish(batch)

    async def _subscribed(self, spec: Any, *, slots: int) -> Watched:
        return Watched(await self._subscribe(spec, slots=slots), self.log)


@asynccontextmanager
async def house(
    app: App,
    lease: float | None = None,
    database: str = "sqlite://",
    observers: Sequence[Observer] = (),
    clock: Clock | None = None,
) -> AsyncIterator[House]:
    """Open an application's service in memory."""
    clock = clock or Clock()
    settings = Settings(
        database=DatabaseSettings(url=database),
        transports={"memory": TransportSettings(url="memory://", lease=lease)},
        routing={"*": "memory"},
        base=Path.cwd(),
    )
    it: House | None = None

    def ended(attempt: Ended) -> None:
        assert it is not None
        it.finished.append(attempt)

    noting = Observer(ended=ended)
    async with opened(settings, app.registry(), clock=clock, observers=(noting, *observers)) as service:
        it = House(service, clock)
        yield it


def handled_by(app: App, handlers: Iterable[Callable[..., Any]]) -> App:
    """Declare handlers."""
    for handler in handlers:
        app.handler(handler)
    return app
