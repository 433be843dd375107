"""Leases: a message that is held is kept, and one that was lost is forgotten."""

from __future__ import annotations

import asyncio

from tests.unit.runtime.going import Go, shop
from tests.unit.runtime.house import house, until


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
