"""The watchdog: a consumer that is connected and takes nothing is found, reported and rebuilt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from tests.unit.runtime.house import House, house, until
from worker import App
from worker.messaging.transport import Delivery
from worker.runtime.taking import subscriber as module
from worker.runtime.taking.consumer import Consumer
from worker.runtime.taking.watchdog import Watchdog


class Go(msgspec.Struct, frozen=True):
    number: int = 0


def shop(**facts: Any) -> App:
    app = App("shop")
    app.command(**facts)(Go)

    @app.handler
    async def on_go(command: Go) -> None: ...

    return app


class Deaf:
    """Subscriptions of which the first brings nothing, or never returns."""

    def __init__(self, it: House, *, hangs: bool = False) -> None:
        self.opened = 0
        self.hangs = hangs
        self._subscribe = it.broker.subscribe
        it.broker.subscribe = self.subscribe

    async def subscribe(self, spec: Any, *, slots: int) -> Any:
        self.opened += 1
        subscription = await self._subscribe(spec, slots=slots)
        if self.opened == 1:
            subscription.receive = self._nothing
        return subscription

    async def _nothing(self, limit: int, wait: float) -> Sequence[Delivery]:
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(0.001)
        return []


class Time:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead


@asynccontextmanager
async def watched(it: House) -> AsyncIterator[tuple[Consumer, Watchdog, Time]]:
    task = it.start()
    assert it.worker is not None
    (consumer,) = it.worker.consumers
    time = Time()
    await until(lambda: consumer.took_at)
    try:
        yield consumer, Watchdog(lambda: [consumer], time), time
    finally:
        it.worker.stop()
        await task


async def test_a_deaf_subscription_is_rebuilt() -> None:
    """Messages wait, a slot is free, none came for longer than the patience: a new subscription takes them."""
    async with house(shop()) as it:
        deaf = Deaf(it)
        async with watched(it) as (consumer, watchdog, time):
            await it.send(Go(1), Go(2))
            await watchdog.look()
            assert consumer.trouble is None, "too early"
            time.ahead = 20.5
            await watchdog.look()
            assert "connected but taking nothing: 2 messages wait" in (consumer.trouble or "")
            await until(lambda: it.outcomes() == ["done", "done"])
            assert deaf.opened == 2
            assert consumer.trouble is None


async def test_an_empty_queue_is_let_alone() -> None:
    """Nothing waits: nothing is rebuilt, however long nothing came."""
    async with house(shop()) as it:
        deaf = Deaf(it)
        async with watched(it) as (consumer, watchdog, time):
            time.ahead = 1000.0
            await watchdog.look()
            assert consumer.trouble is None
            assert deaf.opened == 1


async def test_counts_that_come_late_prove_nothing() -> None:
    """The messages that they count may be handled by now, or in another worker's hand."""
    async with house(shop()) as it:
        deaf = Deaf(it)
        it.broker.features = msgspec.structs.replace(it.broker.features, depth="late")
        async with watched(it) as (consumer, watchdog, time):
            await it.send(Go(1))
            time.ahead = 1000.0
            await watchdog.look()
            assert consumer.trouble is None
            assert deaf.opened == 1


async def test_a_queue_with_keys_is_let_alone() -> None:
    """What waits there may wait for a message of its key that another process has."""
    async with house(shop(key=lambda command: "k")) as it:
        deaf = Deaf(it)
        async with watched(it) as (_, watchdog, time):
            await it.send(Go(1))
            time.ahead = 1000.0
            await watchdog.look()
            assert deaf.opened == 1


async def test_a_receive_that_never_returns_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that hangs costs its subscription, never the queue."""
    monkeypatch.setattr(module, "DEAF", -0.95)
    async with house(shop()) as it:
        deaf = Deaf(it, hangs=True)
        async with watched(it):
            await it.send(Go(1))
            await until(lambda: it.outcomes() == ["done"])
            assert deaf.opened >= 2
