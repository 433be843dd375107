"""Leases: a message that is held is kept, and one that was lost is forgotten."""

from __future__ import annotations

import asyncio
import contextlib

from tests.unit.runtime.going import Go, shop, stored
from tests.unit.runtime.house import house, until


async def test_a_held_message_is_kept_by_extending_its_lease() -> None:
    """A handler that runs longer than the lease keeps its message: no other worker is given it."""
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
            await consumer.leased.extend()
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
        taken = await it.waiting("shop-go")  # another worker has them now
        assert len(taken) == 2
        await consumer.leased.extend()
        assert not consumer.buffer
        await it.send(Go(3))
        leave.set()
        await until(lambda: len(started) == 2)
        it.worker.stop()
        await task
        assert started == [Go(1), Go(3)]


async def test_a_handler_whose_message_is_lost_is_cancelled_and_charges_nothing() -> None:
    """Another worker has it by now: this one's slot is free for others, and what it would settle changes nothing."""
    cancelled: list[Go] = []
    started: list[Go] = []

    async def go(command: Go) -> None:
        started.append(command)
        try:
            await asyncio.sleep(3600 if len(started) == 1 else 0)
        except asyncio.CancelledError:
            cancelled.append(command)
            raise

    async with house(shop(go), lease=30.0) as it:
        await it.send(Go(1))
        task = it.start()
        await until(lambda: started)
        assert it.worker is not None
        (consumer,) = it.worker.consumers
        it.clock.advance(31)
        assert len(await it.waiting("shop-go")) == 1  # another worker has it now
        await consumer.leased.extend()
        await until(lambda: cancelled)
        await it.send(Go(2))
        await until(lambda: len(started) == 2)
        it.worker.stop()
        await task
        assert (started, cancelled) == ([Go(1), Go(2)], [Go(1)])
        assert it.outcomes() == ["returned", "done"]
        assert not await stored(it)


async def test_a_lost_message_whose_handler_ends_all_the_same_settles_nothing() -> None:
    """It may swallow its cancellation; its ack comes too late."""
    started: list[Go] = []

    async def go(command: Go) -> None:
        started.append(command)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)

    async with house(shop(go), lease=30.0) as it:
        await it.send(Go(1))
        task = it.start()
        await until(lambda: started)
        assert it.worker is not None
        (consumer,) = it.worker.consumers
        it.clock.advance(31)
        (taken,) = await it.waiting("shop-go")
        await consumer.leased.extend()
        await until(lambda: consumer.running == 0)
        it.worker.stop()
        await task
        it.clock.advance(31)
        assert [one.id for one in await it.waiting("shop-go")] == [taken.id]
