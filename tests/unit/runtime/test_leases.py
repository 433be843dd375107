"""Leases: a message that is held is kept, and one that was lost is forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from tests.unit.runtime.house import House, house, until
from worker import (
    App,
    Retry,
)
from worker.messaging.envelope import Envelope
from worker.messaging.failure import Filter, StoredFailure


class Go(msgspec.Struct, frozen=True):
    number: int = 0


def shop(*handlers: Any, **options: Any) -> App:
    app = App("shop")
    app.command(many_handlers=True, **{"retry": Retry(2, 1.0, 2.0, jitter=0), **options})(Go)
    for handler in handlers:
        app.handler(handler)
    return app


async def fails(command: Go) -> None:
    raise OSError("broken")


async def stored(it: House) -> list[StoredFailure]:
    rows, _ = await it.service.failures.page(Filter(), 100)
    return rows


async def read(it: House) -> Envelope[Any]:
    """The only message that waits now."""
    (delivery,) = await it.waiting("shop-go")
    envelope = it.service.serializer.decode(delivery.body)
    assert isinstance(envelope, Envelope)
    return envelope


async def test_a_held_message_is_kept_by_extending_its_lease() -> None:
    """A handler that runs longer than the lease keeps its message: nobody else is given it."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def go(command: Go) -> None:
        entered.set()
        await leave.wait()

    async with house(shop(go), lease=30.0) as it:
        await it.send(Go())
        task = it.start(burst=True)
        await entered.wait()
        assert it.worker is not None
        (consumer,) = it.worker.consumers
        for _ in range(5):
            it.clock.advance(20)
            await consumer.extend()
            assert await it.waiting("shop-go") == []
        leave.set()
        await task
        assert it.outcomes() == ["done"]


async def test_what_was_lost_before_it_started_is_forgotten() -> None:
    """Messages taken ahead whose lease ran out are not handled here; the consumer goes on taking."""
    leave = asyncio.Event()
    started: list[Go] = []

    async def go(command: Go) -> None:
        started.append(command)
        await leave.wait()

    async with house(shop(go), lease=30.0) as it:
        await it.send(Go(1), Go(2))
        task = it.start()
        assert it.worker is not None
        (consumer,) = it.worker.consumers
        await until(lambda: len(started) == 1 and len(consumer.buffer) == 1)
        it.clock.advance(31)
        taken = await it.waiting("shop-go")  # somebody else has them now
        assert len(taken) == 2
        await consumer.extend()
        assert not consumer.buffer
        await it.send(Go(3))
        leave.set()
        await until(lambda: len(started) == 2)
        it.worker.stop()
        await task
        assert started == [Go(1), Go(3)]
