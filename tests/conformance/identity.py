"""Transports that know a message by its id: publishing again after an unknown outcome makes no second message."""

from __future__ import annotations

from tests.conformance.bench import Bench, ack, empty, settle, take
from worker.messaging.transport import Ack, Release, Settled


class Identifying:
    """For transports that keep one message an id and queue (SQL, memory)."""

    async def test_publishing_what_waits_makes_no_twin(self, bench: Bench) -> None:
        """The same id, while it waits, is the same message: accepted, and there once."""
        message = bench.message()
        await bench.publish(message, message)
        await bench.publish(message)
        subscription = await bench.subscribe()
        await ack(subscription, await take(subscription, 1))
        assert await empty(subscription)
        await bench.publish(message)
        assert len(await take(subscription, 1)) == 1

    async def test_publishing_what_waits_for_its_time_leaves_it_waiting(self, bench: Bench) -> None:
        """A repeat does not bring a delayed message forward."""
        message = bench.message(delay=10.0)
        await bench.publish(message)
        await bench.publish(bench.message(id=message.id))
        assert await empty(await bench.subscribe())

    async def test_publishing_what_somebody_holds_is_never_lost(self, bench: Bench) -> None:
        """A replay that overtakes the holder's ack is delivered: the ack is refused, and does not remove the replay."""
        for key in (None, "k"):
            message = bench.message(key=key)
            await bench.publish(message)
            subscription = await bench.subscribe()
            (held,) = await take(subscription, 1)
            await bench.publish(bench.message(id=message.id, key=key, body=b"replayed"))
            assert list(await subscription.settle([Ack(held)])) == [Settled.LOST]
            (replayed,) = await take(subscription, 1)
            assert (replayed.id, replayed.body) == (message.id, b"replayed")
            await settle(subscription, Release(replayed))
            await ack(subscription, await take(subscription, 1))
            assert await empty(subscription)
