"""Taking messages can be broken off, paused, stopped and begun anew, and loses nothing by it."""

from __future__ import annotations

import asyncio
import random

from tests.conformance.bench import Bench, ack, empty, settle, take
from tests.conformance.waiting import PATIENCE
from worker.messaging.transport import Ack, Release, Subscription


class Receiving:
    """C22, C23, C26, C27: cancelling, pausing, closing and reopening."""

    async def test_cancelling_a_receive_loses_nothing(self, bench: Bench) -> None:
        """Whenever a receive is cancelled, what it had claimed is given back, nothing charged."""
        chance = random.Random(7)
        await bench.publish(*(bench.message() for _ in range(60)))
        subscription = await bench.subscribe()
        done: set[str] = set()
        loop = asyncio.get_running_loop()
        began = loop.time()
        await settle(subscription, *(Release(delivery) for delivery in await take(subscription, 1)))
        span = loop.time() - began  # so that some are cancelled when the broker has just answered
        for _ in range(150):
            receiving = asyncio.ensure_future(subscription.receive(7, 1.0))
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() * max(0.002, span))
            receiving.cancel()
            try:
                got = await receiving
            except asyncio.CancelledError:
                continue
            assert {delivery.deaths for delivery in got} <= {0}
            await ack(subscription, got[:1])
            done.update(delivery.id for delivery in got[:1])
            await subscription.settle([Release(delivery) for delivery in got[1:]])
        left = await take(subscription, 60 - len(done)) if len(done) < 60 else []
        assert {delivery.id for delivery in left}.isdisjoint(done)
        assert {delivery.deaths for delivery in left} <= {0}

    async def test_c27_a_paused_subscription_takes_nothing_and_keeps_nothing(self, bench: Bench) -> None:
        """C27: after pause returns nothing is handed out here, and all of it can be had elsewhere, uncharged."""
        await bench.publish(*(bench.message() for _ in range(20)))
        subscription = await bench.subscribe()
        started = await take(subscription, 2)
        await subscription.pause()
        await subscription.pause()
        assert await empty(subscription)
        other = await bench.rival()
        elsewhere = await take(other, 18)
        assert {delivery.deaths for delivery in elsewhere} == {0}
        await ack(subscription, started)  # started work is finished while paused
        await settle(other, *(Release(delivery) for delivery in elsewhere))
        await other.close(1.0)
        await subscription.resume()
        assert len(await take(subscription, 18)) == 18

    async def test_c27_pausing_while_a_receive_is_under_way(self, bench: Bench) -> None:
        """C27: a receive that was waiting or claiming when pause came brings nothing after it."""
        other = await bench.rival()
        for turns in range(12):
            subscription = await bench.subscribe()
            await bench.publish(*(bench.message() for _ in range(5)))
            receiving = asyncio.ensure_future(subscription.receive(5, 0.2))
            for _ in range(turns):
                await asyncio.sleep(0)
            received_before = receiving.done()
            await subscription.pause()
            got = list(receiving.result()) if received_before else []
            elsewhere = await take(other, 5 - len(got))
            if not received_before:
                assert await receiving == []
            await ack(subscription, got)
            await ack(other, elsewhere)
            await subscription.close(1.0)

    async def test_resume_wakes_a_waiting_receive(self, bench: Bench) -> None:
        """C27: consumption goes on at once after resume."""
        subscription = await bench.subscribe()
        await subscription.pause()
        await bench.publish(bench.message())
        waiting = asyncio.ensure_future(subscription.receive(1, 60.0))
        await asyncio.sleep(0)
        await subscription.resume()
        async with asyncio.timeout(15):
            assert len(await waiting) == 1

    async def test_a_closed_subscription_ends_its_receive(self, bench: Bench) -> None:
        """Closing lets a waiting receive go, empty-handed, and leaves the messages to others."""
        subscription = await bench.subscribe()
        waiting = asyncio.ensure_future(subscription.receive(1, 60.0))
        await asyncio.sleep(0)
        async with asyncio.timeout(15):
            await subscription.close(1.0)
            assert list(await waiting) == []
        await bench.publish(bench.message())
        assert list(await subscription.receive(1, 0.0)) == []
        assert await take(await bench.subscribe(), 1)

    async def test_closing_waits_for_settlements_under_way(self, bench: Bench) -> None:
        """What was being settled at close is settled."""
        await bench.publish(*(bench.message() for _ in range(10)))
        subscription = await bench.subscribe()
        got = await take(subscription, 10)
        settling = asyncio.ensure_future(subscription.settle([Ack(delivery) for delivery in got]))
        await asyncio.sleep(0)
        await subscription.close(5.0)
        await settling
        await bench.passes(1_000)
        assert await empty(await bench.subscribe())

    async def test_c22_reopening_again_and_again_misses_nothing(self, bench: Bench) -> None:
        """C22: a consumer that is closed and opened twenty times receives every message once."""
        messages = [bench.message() for _ in range(400)]
        await bench.publish(*messages)
        done: list[str] = []
        for _ in range(20):
            subscription = await bench.subscribe()
            got = await take(subscription, 20)
            await ack(subscription, got)
            done.extend(delivery.id for delivery in got)
            await subscription.close(1.0)
        assert sorted(done) == sorted(message.id for message in messages)

    async def test_c23_many_consumers_opened_and_closed_at_once(self, bench: Bench) -> None:
        """C23: after ten consumers came and went at the same time, later messages flow."""

        async def come_and_go() -> None:
            subscription = await bench.subscribe()
            receiving = asyncio.ensure_future(subscription.receive(5, 5.0))
            await asyncio.sleep(0)
            await subscription.close(1.0)
            await receiving

        async with asyncio.timeout(60):
            await asyncio.gather(*(come_and_go() for _ in range(10)))
        await bench.publish(*(bench.message() for _ in range(10)))
        assert len(await take(await bench.subscribe(), 10)) == 10

    async def test_c26_closing_and_connecting_again_goes_on(self, bench: Bench) -> None:
        """C26: one process may close its transport and connect again; closing twice is harmless."""
        for _ in range(3):
            await bench.publish(bench.message())
            subscription = await bench.subscribe()
            await ack(subscription, await take(subscription, 1))
            await bench.transport.close()
            await bench.transport.close()
            await bench.transport.connect()

    async def test_a_consumer_that_found_nothing_still_receives(self, bench: Bench) -> None:
        """Connected is not consuming: after an idle stretch, later messages are handed out all the same."""
        subscription = await bench.subscribe()
        for _ in range(3):
            assert await empty(subscription)
            await bench.publish(bench.message())
            await ack(subscription, await take(subscription, 1))

    async def test_two_consumers_share_without_overlap(self, bench: Bench) -> None:
        """A message that one consumer holds is handed to no other."""
        subscriptions: list[Subscription] = [await bench.subscribe()]
        subscriptions.append(await bench.rival())
        await bench.publish(*(bench.message() for _ in range(40)))
        got: list[str] = []

        async def hold(subscription: Subscription) -> None:
            while len(got) < 40:
                got.extend(delivery.id for delivery in await subscription.receive(5, 0.1))

        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(hold(subscription) for subscription in subscriptions))
        assert len(set(got)) == len(got) == 40
        assert all([await empty(subscription) for subscription in subscriptions])
