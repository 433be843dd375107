"""Under load and disorder every message ends exactly once: the arithmetic of the whole queue."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from tests.conformance.bench import QUEUE, Bench, ack, empty
from tests.deep import size
from worker.messaging.transport import Ack, Again, QueueSpec, Release, Settled, Settlement, Transport


class Loading:
    """C05 and the total-queue arithmetic."""

    total: int = size(500, 2_000)
    """Messages of one scenario; fewer where the server for tests is slow."""
    glance: float = 0.02
    """Seconds that a consumer of the arithmetic waits for messages; longer than the server for tests needs to bring some."""
    disorder: QueueSpec = QUEUE
    """Queue of the arithmetic; one without order where the server for tests cannot keep it when messages are given back."""

    async def test_c05_many_producers_and_consumers(self, bench: Bench) -> None:
        """C05: what twenty producers publish and twenty consumers receive is the same, each message once."""
        total, parts = self.total, 20
        done: Counter[str] = Counter()
        connections = [bench.transport, await bench.another()]

        async def produce(number: int) -> list[str]:
            messages = [bench.message() for _ in range(total // parts)]
            for start in range(0, len(messages), 10):
                await bench.publish(*messages[start : start + 10], over=connections[number % 2])
            return [message.id for message in messages]

        async def consume(number: int) -> None:
            subscription = await bench.subscribe(over=connections[number % 2])
            while done.total() < total:
                got = await subscription.receive(10, 0.1)
                await ack(subscription, got)
                done.update(delivery.id for delivery in got)

        async with asyncio.timeout(60):
            published, *_ = await asyncio.gather(
                asyncio.gather(*(produce(number) for number in range(parts))),
                *(consume(number) for number in range(parts)),
            )
        assert done == Counter(message_id for part in published for message_id in part)

    @pytest.mark.parametrize("seed", [1, 2])
    async def test_total_queue_arithmetic_under_random_settlement(self, bench: Bench, seed: int) -> None:
        """Messages released, tried again, dropped by crashing holders and cancelled receives all end exactly once."""
        chance = random.Random(seed)
        total = self.total
        keys = [None, None, None, "a", "b", "c"]
        await bench.transport.setup([self.disorder])
        messages = [bench.message(queue=self.disorder.name, key=chance.choice(keys)) for _ in range(total)]
        connections = [bench.transport, await bench.another()]
        for start in range(0, total, 250):
            await bench.publish(*messages[start : start + 250], over=chance.choice(connections))
        done: Counter[str] = Counter()

        async with asyncio.timeout(100):
            consumers = [
                _consume(
                    bench,
                    connections[number % 2],
                    random.Random(seed * 100 + number),
                    done,
                    total,
                    self.disorder,
                    self.glance,
                )
                for number in range(6)
            ]
            await asyncio.gather(*consumers)
        assert done == Counter(message.id for message in messages)
        await bench.passes(10_000)
        assert await empty(await bench.subscribe(self.disorder))
        if bench.features.depth == "exact":
            depth = await bench.depth(self.disorder)
            assert (depth.ready, depth.in_flight, depth.delayed) == (0, 0, 0)


async def _consume(
    bench: Bench,
    connection: Transport,
    chance: random.Random,
    done: Counter[str],
    total: int,
    queue: QueueSpec,
    glance: float,
) -> None:
    subscription = await bench.subscribe(queue, over=connection)
    while len(done) < total:
        receiving = asyncio.ensure_future(subscription.receive(chance.randrange(1, 60), glance))
        if chance.random() < 0.1:
            await asyncio.sleep(0)
            receiving.cancel()
        try:
            got = await receiving
        except asyncio.CancelledError:
            continue
        if not got:
            await bench.passes(61)  # the leases of consumers that crashed have run out
        items: list[Settlement] = []
        for delivery in got:
            fate = chance.random()
            if fate < 0.15:
                items.append(Release(delivery, delay=chance.choice([0.0, 0.0, 1.0])))
            elif fate < 0.3 and bench.features.replaces:
                again = bench.message(queue=queue.name, id=delivery.id, key=delivery.key, body=delivery.body)
                items.append(Again(delivery, again))
            elif fate < 0.32 and bench.features.lease:
                continue  # as if the process had died with it in hand
            else:
                items.append(Ack(delivery))
        for item, answer in zip(items, await subscription.settle(items), strict=True):
            if isinstance(item, Ack) and answer is Settled.DONE:
                done[item.delivery.id] += 1
