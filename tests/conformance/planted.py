"""Planted bugs: transports with one fault each, to show that the suite finds it.

Each is a good transport with a wrapper around it that gets one thing wrong, as real drivers and adapters have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from worker.errors import TransportUnavailable
from worker.messaging.pausing import Pauses
from worker.messaging.transport import (
    ACCEPTED,
    Ack,
    Again,
    Delivery,
    Outcome,
    Outgoing,
    QueueSpec,
    Release,
    Settled,
    Settlement,
)


class Planted:
    """A transport that passes everything on; what a bug changes is overridden."""

    def __init__(self, good: Any) -> None:
        self.good = good

    def __getattr__(self, name: str) -> Any:
        return getattr(self.good, name)

    async def subscribe(self, queue: QueueSpec, *, slots: int) -> Any:
        good = await self.good.subscribe(queue, slots=slots)
        return (PlantedLease if hasattr(good, "lease") else PlantedSubscription)(self, good)

    async def receive(self, good: Any, limit: int, wait: float) -> Sequence[Delivery]:
        return await good.receive(limit, wait)

    async def settle(self, good: Any, items: Sequence[Settlement]) -> Sequence[Settled]:
        return await good.settle(items)

    async def extend(self, good: Any, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        return await good.extend(deliveries)

    async def pause(self, good: Any) -> None:
        await good.pause()


class PlantedSubscription:
    """Asks its transport for everything that a bug may change."""

    def __init__(self, transport: Planted, good: Any) -> None:
        self.transport = transport
        self.good = good

    def __getattr__(self, name: str) -> Any:
        return getattr(self.good, name)

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        return await self.transport.receive(self.good, limit, wait)

    async def settle(self, items: Sequence[Settlement]) -> Sequence[Settled]:
        return await self.transport.settle(self.good, items)

    async def pause(self) -> None:
        await self.transport.pause(self.good)


class PlantedLease(PlantedSubscription):
    """Of a transport that holds by time."""

    def __init__(self, transport: Planted, good: Any) -> None:
        super().__init__(transport, good)
        self.lease = good.lease

    async def extend(self, deliveries: Sequence[Delivery]) -> Sequence[Settled]:
        return await self.transport.extend(self.good, deliveries)


class AcksBeforeHandling(Planted):
    """What is handed out is gone: a crash in the handler loses it."""

    async def receive(self, good, limit, wait):
        got = await good.receive(limit, wait)
        await good.settle([Ack(delivery) for delivery in got])
        return got

    async def settle(self, good, items):
        return [Settled.DONE] * len(items)


class LosesGiveBacks(Planted):
    """A give-back removes the message."""

    async def settle(self, good, items):
        return await good.settle([Ack(i.delivery) if isinstance(i, Release) else i for i in items])


class ChargesGiveBacks(Planted):
    """A give-back counts as a death, as brokers' own counters do: pausing and stopping use attempts up."""

    def __init__(self, good):
        super().__init__(good)
        self.charged: dict[str, int] = {}

    async def receive(self, good, limit, wait):
        got = await good.receive(limit, wait)
        return [msgspec.structs.replace(d, deaths=d.deaths + self.charged.get(d.id, 0)) for d in got]

    async def settle(self, good, items):
        for item in items:
            if isinstance(item, Release):
                self.charged[item.delivery.id] = self.charged.get(item.delivery.id, 0) + 1
        return await good.settle(items)


class AcceptsStaleAcks(Planted):
    """The ack of a lost delivery removes the message that another consumer holds."""

    def __init__(self, good):
        super().__init__(good)
        self.newest: dict[str, Delivery] = {}

    async def receive(self, good, limit, wait):
        got = await good.receive(limit, wait)
        self.newest.update((delivery.id, delivery) for delivery in got)
        return got

    async def settle(self, good, items):
        newest = [
            msgspec.structs.replace(i, delivery=self.newest.get(i.delivery.id, i.delivery)) for i in items
        ]
        return await good.settle(newest)


class DispatchesTwice(Planted):
    """What one consumer holds is handed to another, too."""

    def __init__(self, good):
        super().__init__(good)
        self.last: list[Delivery] = []

    async def receive(self, good, limit, wait):
        got = [*await good.receive(limit, min(wait, 0.01))]
        if not got and self.last:
            return [self.last.pop()]
        self.last = got[:1]
        return got


class LosesHeadersInRetry(Planted):
    """The next attempt has the default content type, whatever it was sent with."""

    async def settle(self, good, items):
        default = "application/cloudevents+json"
        plain = [
            Again(i.delivery, msgspec.structs.replace(i.outgoing, content_type=default))
            if isinstance(i, Again)
            else i
            for i in items
        ]
        return await good.settle(plain)


class SwallowsPublishFailures(Planted):
    """Every publish is a success, also one that went nowhere."""

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        try:
            await self.good.publish(batch)
        except TransportUnavailable:
            pass
        return [ACCEPTED] * len(batch)


class TakesNothing(Planted):
    """Connected and well, and after its first messages it never receives again: the zombie consumer."""

    def __init__(self, good):
        super().__init__(good)
        self.dead = False

    async def receive(self, good, limit, wait):
        if self.dead:
            await asyncio.sleep(min(wait, 0.01))
            return []
        got = await good.receive(limit, min(wait, 0.01))
        self.dead = self.dead or bool(got)
        return got


class LosesWhatIsCancelled(Planted):
    """What a cancelled receive had claimed stays claimed."""

    async def receive(self, good, limit, wait):
        got = await good.receive(limit, wait)
        await asyncio.sleep(0.005)
        return got


class IgnoresPause(Planted):
    """Pause is acknowledged, and nothing changes."""

    async def pause(self, good):
        pass


class HandsOutPrefetched(Planted):
    """Takes ahead, and goes on handing out what it has when it is paused."""

    def __init__(self, good):
        super().__init__(good)
        self.ahead: dict[int, list[Delivery]] = {}

    async def receive(self, good, limit, wait):
        ahead = self.ahead.setdefault(id(good), [])
        if not ahead:
            ahead += await good.receive(limit + 10, min(wait, 0.01))
        got = ahead[:limit]
        del ahead[:limit]
        return got


class HandsOutEarly(Planted):
    """Delays are cut to a tenth."""

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        return await self.good.publish([msgspec.structs.replace(m, delay=m.delay / 10) for m in batch])


class RetriesAtTheEnd(Planted):
    """The next attempt is published anew and the original removed: the key's later messages overtake it."""

    async def settle(self, good, items):
        moved = [i.outgoing for i in items if isinstance(i, Again)]
        answers = await good.settle([Ack(i.delivery) if isinstance(i, Again) else i for i in items])
        await self.good.publish(moved)
        return answers


class ForgetsKeys(Planted):
    """Messages of a key are handed out all at once."""

    async def publish(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        return await self.good.publish([msgspec.structs.replace(m, key=None) for m in batch])


class LiesAboutLeases(Planted):
    """A lost lease is said to be extended: two handlers go on with one message."""

    async def extend(self, good, deliveries):
        await good.extend(deliveries)
        return [Settled.DONE] * len(deliveries)


class ForgetsHalfOfABatch(Planted):
    """All of a batch is acked, half of it is removed."""

    async def settle(self, good, items):
        half = (len(items) + 1) // 2
        return [*await good.settle(items[:half]), *[Settled.DONE] * (len(items) - half)]


class ForgetfulPauses:
    """A pause that lives in each worker: workers that run hear of it, workers that start later do not."""

    def __init__(self, good):
        self.good = good
        self.heard = False

    async def version(self):
        self.heard = True
        return await self.good.version()

    async def read(self):
        found = await self.good.read()
        return found if self.heard else Pauses(version=found.version)
