"""One key's messages are handed out one at a time, in order; other keys are not held up by it."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import defaultdict

from tests.conformance.bench import Bench, ack, empty, settle, take
from worker.messaging.limits import MAX_KEY
from worker.messaging.transport import Again, Release


class Ordering:
    """C20, C21: order by key."""

    async def test_c20_order_is_kept_by_key(self, bench: Bench) -> None:
        """C20: with sixteen keys and ten consumers, failing at times, each key's messages are handled in order."""
        bench.require(bench.features.ordering == "key", "keeps no order by key")
        bench.require(bench.keeps_place, "a retry loses its place")
        chance = random.Random(20)
        sent: defaultdict[str, list[str]] = defaultdict(list)
        messages = []
        for number in range(480):
            message = bench.message(key=f"key-{number % 16}")
            sent[f"key-{number % 16}"].append(message.id)
            messages.append(message)
        for start in range(0, 480, 60):
            await bench.publish(*messages[start : start + 60])
        handled: defaultdict[str, list[str]] = defaultdict(list)
        held: set[str] = set()

        async def consume() -> None:
            subscription = await bench.subscribe()
            while sum(map(len, handled.values())) < 480:
                for delivery in await subscription.receive(3, 0.02):
                    assert delivery.key is not None
                    assert delivery.key not in held, "two messages of one key are out at once"
                    held.add(delivery.key)
                    await asyncio.sleep(0)
                    held.discard(delivery.key)
                    fate = chance.random()
                    if fate < 0.1:
                        await settle(subscription, Release(delivery))
                    elif fate < 0.2:
                        again = bench.message(id=delivery.id, key=delivery.key, body=b"again")
                        await settle(subscription, Again(delivery, again))
                    else:
                        handled[delivery.key].append(delivery.id)
                        await ack(subscription, [delivery])

        async with asyncio.timeout(60):
            await asyncio.gather(*(consume() for _ in range(10)))
        assert handled == sent

    async def test_c20_a_pause_keeps_the_order_by_key(self, bench: Bench) -> None:
        """C20, C27: what a consumer gives back as it is paused, or goes, is handled before what follows it, by any consumer."""
        bench.require(bench.features.ordering == "key", "keeps no order by key")
        bench.require(bench.keeps_place, "a retry loses its place")
        sent: defaultdict[str, list[str]] = defaultdict(list)
        for start in range(0, 800, 100):
            batch = [bench.message(key=f"key-{number % 8}") for number in range(start, start + 100)]
            for message in batch:
                sent[str(message.key)].append(message.id)
            await bench.publish(*batch)
        handled: defaultdict[str, list[str]] = defaultdict(list)
        subscriptions = [await bench.subscribe(), await bench.subscribe()]
        async with asyncio.timeout(120):
            for turn in itertools.count():
                if sum(map(len, handled.values())) == 800:
                    break
                resting, taking = subscriptions[turn % 2], subscriptions[1 - turn % 2]
                await taking.resume()
                if turn == 4:
                    await resting.close(1.0)
                    subscriptions[turn % 2] = await bench.subscribe()
                else:
                    await resting.pause()
                for _ in range(10):
                    for delivery in await taking.receive(8, 0.05):
                        handled[str(delivery.key)].append(delivery.id)
                        await ack(taking, [delivery])
        assert handled == sent

    async def test_c21_a_successor_waits_for_the_head(self, bench: Bench) -> None:
        """C21: while a key's head is held, delayed or waits for a retry, its successor is withheld; then it comes."""
        bench.require(bench.features.ordering == "key", "keeps no order by key")
        first, second, other = bench.message(key="a"), bench.message(key="a"), bench.message(key="b")
        await bench.publish(first, second, other)
        subscription = await bench.subscribe()
        got = {delivery.id: delivery for delivery in await take(subscription, 2)}
        assert set(got) == {first.id, other.id}
        assert await empty(subscription)
        if bench.features.max_delay:
            await settle(subscription, Release(got[first.id], delay=5.0))
            assert await empty(subscription)
            await bench.passes(6)
            (head,) = await take(subscription, 1)
            assert head.id == first.id
            assert await empty(subscription)
            got[first.id] = head
        waiting = asyncio.ensure_future(subscription.receive(1, 60.0))
        await ack(subscription, [got[first.id]])
        async with asyncio.timeout(15):
            assert [delivery.id for delivery in await waiting] == [second.id]

    async def test_the_longest_key_is_a_key_like_others(self, bench: Bench) -> None:
        """The longest key that the intake takes, of the widest characters: it is kept, also by a retry, and other keys are not harmed."""
        chance = random.Random(22)
        longest = "".join(chr(chance.randrange(0x10000, 0x20000)) for _ in range(MAX_KEY))
        first, second, other = (bench.message(key=key) for key in (longest, longest, "a"))
        await bench.publish(first, second, other)
        subscription = await bench.subscribe()
        keys: defaultdict[str, set[str | None]] = defaultdict(set)
        again = {first.id, second.id, other.id}
        left = set(again)
        async with asyncio.timeout(60):
            while left:
                for delivery in await subscription.receive(3, 1.0):
                    keys[delivery.id].add(delivery.key)
                    if delivery.id in again:
                        again.remove(delivery.id)
                        key = "a" if delivery.id == other.id else longest
                        copy = bench.message(id=delivery.id, key=key)
                        if bench.features.replaces:
                            await settle(subscription, Again(delivery, copy))
                        else:
                            await bench.publish(copy)
                            await ack(subscription, [delivery])
                    else:
                        left.remove(delivery.id)
                        await ack(subscription, [delivery])
        assert keys[first.id] == keys[second.id] != keys[other.id] == {"a"}
        assert len(keys[first.id]) == 1

    async def test_a_delayed_head_holds_its_key_only(self, bench: Bench) -> None:
        """Order by key is by publishing: a later message waits for an earlier one that is delayed."""
        bench.require(
            bench.features.ordering == "key" and bench.features.max_delay >= 5, "keeps no order by key"
        )
        head, next_one = bench.message(key="a", delay=5.0), bench.message(key="a")
        free, plain = bench.message(key="b"), bench.message()
        await bench.publish(head, next_one, free, plain)
        subscription = await bench.subscribe()
        assert {delivery.id for delivery in await take(subscription, 2)} == {free.id, plain.id}
        assert await empty(subscription)
        await bench.passes(6)
        for expected in (head, next_one):
            (delivery,) = await take(subscription, 1)
            assert delivery.id == expected.id
            await ack(subscription, [delivery])

    async def test_a_crashed_holder_keeps_its_keys_order(self, bench: Bench) -> None:
        """When a head's lease is lost, the head comes back before its successors."""
        bench.require(bench.features.ordering == "key" and bench.features.lease, "keeps no order by key")
        messages = [bench.message(key="a") for _ in range(3)]
        await bench.publish(*messages)
        subscription = await bench.subscribe()
        await take(subscription, 1)
        await bench.passes(1_000)
        for message in messages:
            (delivery,) = await take(subscription, 1)
            assert delivery.id == message.id
            await ack(subscription, [delivery])
