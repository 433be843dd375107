"""A delayed message comes when it is due, never before."""

from __future__ import annotations

import asyncio

from tests.conformance import bench as benches
from tests.conformance.bench import Bench, ack, empty, take


class Delaying:
    """C10: delays."""

    async def test_c10_a_delayed_message_is_never_early(self, bench: Bench) -> None:
        """C10: nothing is handed out before its delay has passed; then it is, within a second."""
        bench.require(bench.features.max_delay >= 10, "keeps no delays")
        began = bench.now()
        await bench.publish(bench.message(delay=10.0))
        subscription = await bench.subscribe()
        for pause in (0.0, 4.0, 5.9):
            await bench.passes(pause)
            if not await empty(subscription):
                assert bench.clock is None and bench.now() - began >= 10  # the broker's own clock went on
                return
        await bench.passes(0.2)
        assert len(await take(subscription, 1)) == 1

    async def test_a_short_delay_overtakes_a_long_one(self, bench: Bench) -> None:
        """A long delay in front holds nothing up behind it."""
        bench.require(bench.features.max_delay >= 100, "keeps no delays")
        delays = (100.0, 5.0, 50.0, 0.0)
        messages = [bench.message(delay=delay) for delay in delays]
        began = bench.now()
        await bench.publish(*messages)
        subscription = await bench.subscribe()
        came = await take(subscription, 1)
        for number, following in ((3, 1), (1, 2), (2, 0)):
            assert [delivery.id for delivery in came] == [messages[number].id]
            await ack(subscription, came)
            came = list(await subscription.receive(1, benches.QUIET))
            if came:
                assert (
                    bench.clock is None and bench.now() - began >= delays[following]
                )  # it was a slow machine
                continue
            await bench.passes(began + delays[following] + 1.0 - bench.now())
            came = await take(subscription, 1)
        assert [delivery.id for delivery in came] == [messages[0].id]
        await ack(subscription, came)
        assert await empty(subscription)

    async def test_a_waiting_consumer_notices_when_a_message_is_due(self, bench: Bench) -> None:
        """A receive that waits hands a delayed message out when its time comes."""
        bench.require(bench.features.max_delay >= 5, "keeps no delays")
        await bench.publish(bench.message(delay=5.0))
        subscription = await bench.subscribe()
        waiting = asyncio.ensure_future(subscription.receive(1, 60.0))
        assert await empty(await bench.subscribe())
        await bench.passes(6)
        async with asyncio.timeout(15):
            assert len(await waiting) == 1
