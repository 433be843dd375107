"""A message whose holder is gone comes back; a holder that is late is told so and changes nothing."""

from __future__ import annotations

from tests.conformance.bench import QUEUE, Bench, ack, empty, take
from worker.messaging.abilities import ExtendsLease
from worker.messaging.transport import Ack, QueueSpec, Release, Settled


class Leasing:
    """C33, F16: leases.

    Attributes:
        counted: a queue in which the broker tells a first delivery from a further one.
    """

    counted: QueueSpec = QUEUE

    async def test_a_lost_lease_brings_the_message_back_and_counts(self, bench: Bench) -> None:
        """A delivery that ends without settlement is handed out again, and counted as a death."""
        bench.require(bench.features.lease, "holds by connection, not by time")
        await bench.transport.setup([self.counted])
        await bench.publish(bench.message(queue=self.counted.name))
        subscription = await bench.subscribe(self.counted)
        assert isinstance(subscription, ExtendsLease)
        for deaths in range(4):
            (delivery,) = await take(subscription, 1)
            assert delivery.deaths == (deaths if bench.features.counts_deliveries else 0)
            assert delivery.redelivered is (deaths > 0)
            assert await empty(subscription)
            await bench.passes(subscription.lease + 0.5)

    async def test_a_give_back_uncounts_itself_only(self, bench: Bench) -> None:
        """Deaths that were counted stay counted when a later holder gives the message back."""
        bench.require(bench.features.counts_deliveries, "does not count deliveries")
        await bench.publish(bench.message())
        subscription = await bench.subscribe()
        await take(subscription, 1)
        await bench.passes(1_000)
        for _ in range(3):
            (delivery,) = await take(subscription, 1)
            assert (delivery.deaths, delivery.redelivered) == (1, True)
            await subscription.settle([Release(delivery)])

    async def test_f16_a_late_settlement_is_lost_and_changes_nothing(self, bench: Bench) -> None:
        """F16: once another consumer has the message, the first one's ack and give-back are refused."""
        bench.require(bench.features.lease, "holds by connection, not by time")
        await bench.publish(bench.message())
        first, second = await bench.subscribe(), await bench.subscribe(over=await bench.another())
        (stale,) = await take(first, 1)
        await bench.passes(1_000)
        (fresh,) = await take(second, 1)
        assert fresh.id == stale.id
        for late in (Ack(stale), Release(stale)):
            assert list(await first.settle([late])) == [Settled.LOST]
        assert await empty(first)
        await ack(second, [fresh])

    async def test_f16_one_consumer_with_an_old_and_a_new_delivery_of_a_message(self, bench: Bench) -> None:
        """F16: settled together, the old delivery is lost and the new one done, in either order."""
        bench.require(bench.features.lease, "holds by connection, not by time")
        subscription = await bench.subscribe()
        for stale_first in (True, False):
            await bench.publish(bench.message())
            (stale,) = await take(subscription, 1)
            await bench.passes(1_000)
            (fresh,) = await take(subscription, 1)
            items = [Ack(stale), Ack(fresh)] if stale_first else [Ack(fresh), Ack(stale)]
            answers = list(await subscription.settle(items))
            assert answers[items.index(Ack(fresh))] is Settled.DONE
            assert answers[items.index(Ack(stale))] is Settled.LOST

    async def test_c33_an_extended_message_is_nobody_elses(self, bench: Bench) -> None:
        """C33: a handler that runs for the time of three leases keeps its message while it extends, and settles it once."""
        bench.require(bench.features.lease, "holds by connection, not by time")
        await bench.publish(bench.message(), bench.message())
        subscription = await bench.subscribe()
        other = await bench.subscribe(over=await bench.another())
        assert isinstance(subscription, ExtendsLease)
        got = await take(subscription, 2)
        began = bench.now()
        for third in range(1, 10):  # from the beginning, so that a slow machine does not stretch them
            await bench.passes(began + third * subscription.lease / 3 - bench.now())
            assert list(await subscription.extend(got)) == [Settled.DONE] * 2
            assert await empty(other)
        await ack(subscription, got)
        await bench.passes(1_000)
        assert await empty(other)

    async def test_c33_extending_what_is_lost_is_refused(self, bench: Bench) -> None:
        """C33: a consumer that lost a message is told when it extends, and does not take it back."""
        bench.require(bench.features.lease, "holds by connection, not by time")
        await bench.publish(bench.message(), bench.message())
        first, second = await bench.subscribe(), await bench.subscribe(over=await bench.another())
        assert isinstance(first, ExtendsLease)
        got = await take(first, 2)
        await bench.passes(1_000)
        taken = await take(second, 1)
        answers = dict(zip([d.id for d in got], await first.extend(got), strict=True))
        assert answers[taken[0].id] is Settled.LOST
        await ack(second, taken)
