"""C27 and C28 for workers over one transport: a pause starts nothing, keeps nothing, charges nothing, and holds."""

from __future__ import annotations

import asyncio

from tests.conformance.shop import Shop
from tests.conformance.waiting import eventually, settled_turns


class Pausing:
    """The stored pause, applied by workers."""

    async def test_c27_nothing_starts_once_a_pause_is_applied(self, shop: Shop) -> None:
        """C27: what ran is finished, what was prefetched waits for others uncharged, and no handler starts."""
        shop.gate.clear()
        await shop.send(*range(12))
        async with shop.worker(concurrency=2), shop.worker(concurrency=2):
            await eventually(lambda: shop.running == 4, "four handlers running")
            await shop.pause("PlaceOrder")
            await shop.send(*range(12, 15))
            shop.gate.set()
            await shop.until_handled(4)
            await eventually(lambda: len(shop.finished) == 4, "what ran is settled")
            await settled_turns(200)
            assert sum(shop.started.values()) == 4
            assert not shop.cancelled
            waiting = await shop.until_waiting(11)
            assert {delivery.deaths for delivery in waiting} == {0}
            await shop.resume("PlaceOrder")
            await shop.until_handled(15)
        assert dict(shop.handled) == dict.fromkeys(range(15), 1)
        assert {attempt for _, attempt in shop.attempts} == {1}

    async def test_c27_other_types_go_on(self, shop: Shop) -> None:
        """C27: a pause of one type does not touch the others."""
        async with shop.worker(concurrency=2):
            await shop.pause("PlaceOrder")
            await shop.send(1)
            await shop.note(*range(20))
            await eventually(lambda: len(shop.noted) == 20, "the other type handled")
            assert not shop.started
            await shop.pause()
            await shop.note(20)
            await settled_turns(200)
            assert len(shop.noted) == 20
            await shop.resume()
            await shop.until_handled(1)
            await eventually(lambda: len(shop.noted) == 21, "all of it")

    async def test_c27_a_pause_in_the_middle_of_receiving(self, shop: Shop) -> None:
        """C27: at whatever moment a pause is applied, no handler starts after it, and nothing is lost by it."""
        sent = 0
        async with shop.worker(concurrency=3):
            for turns in range(0, 60, 7):
                await shop.send(*range(sent, sent + 5))
                sent += 5
                for _ in range(turns):
                    await asyncio.sleep(0)
                await shop.pause()
                started = sum(shop.started.values())
                await settled_turns(100)
                assert sum(shop.started.values()) == started
                await shop.resume()
                await shop.until_handled(sent)
        assert dict(shop.handled) == dict.fromkeys(range(sent), 1)

    async def test_c28_a_pause_outlives_the_workers(self, shop: Shop) -> None:
        """C28: workers that come after those that knew of the pause start nothing either."""
        await shop.send(1, 2, 3)
        async with shop.worker():
            await shop.until_handled(3)
            await shop.pause("PlaceOrder")
        await shop.send(4, 5, 6)
        async with shop.worker(), shop.worker():
            await settled_turns(300)
            assert sum(shop.started.values()) == 3
            assert len(await shop.until_waiting(3)) == 3
            await shop.resume()
            await shop.until_handled(6)
        assert dict(shop.handled) == dict.fromkeys(range(1, 7), 1)
