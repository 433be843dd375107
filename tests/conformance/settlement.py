"""What is decided about a delivery happens once, to that delivery, and charges what it should."""

from __future__ import annotations

import asyncio

from tests.conformance.bench import Bench, ack, empty, settle, take
from worker.messaging.transport import Ack, Again, QueueSpec, Release, Settled


class Settling:
    """C08, C12, C34: acks, give-backs and next attempts."""

    async def test_an_acked_message_never_comes_back(self, bench: Bench) -> None:
        """A message that is done with is gone, also for other processes and after every lease."""
        await bench.publish(*(bench.message() for _ in range(5)))
        subscription = await bench.subscribe()
        await ack(subscription, await take(subscription, 5))
        await subscription.close(1.0)
        await bench.passes(1_000)
        assert await empty(await bench.subscribe(over=await bench.another()))

    async def test_finishing_out_of_order_loses_and_repeats_nothing(self, bench: Bench) -> None:
        """C30: what was not finished comes back after a restart, and what was finished behind it does not."""
        bench.require(bench.features.durable, "keeps nothing")
        await bench.publish(*(bench.message(key=f"k{number}") for number in range(40)))
        subscription = await bench.subscribe()
        got = await take(subscription, 40)
        unfinished = [got[0], got[17], got[39]]
        await ack(subscription, [delivery for delivery in got if delivery not in unfinished])
        await bench.restart()
        await bench.passes(1_000)
        subscription = await bench.subscribe()
        again = await take(subscription, 3)
        assert {delivery.id for delivery in again} == {delivery.id for delivery in unfinished}
        assert await empty(subscription)

    async def test_settling_twice_is_told(self, bench: Bench) -> None:
        """The second settlement of a delivery changes nothing and says so, in one call or two."""
        await bench.publish(bench.message())
        subscription = await bench.subscribe()
        (delivery,) = await take(subscription, 1)
        twice = await subscription.settle([Ack(delivery), Ack(delivery)])
        assert list(twice) == [Settled.DONE, Settled.LOST]
        assert list(await subscription.settle([Release(delivery)])) == [Settled.LOST]
        assert await empty(subscription)

    async def test_a_give_back_is_visible_to_others_at_once_and_uncharged(self, bench: Bench) -> None:
        """What is given back comes as it was, however often, with no delivery counted against it."""
        message = bench.message()
        await bench.publish(message)
        first, second = await bench.subscribe(), await bench.rival()
        for number in range(10):
            holder, idle = (first, second) if number % 2 else (second, first)
            await idle.pause()  # a consumer that takes messages ahead would have it again
            await holder.resume()
            (delivery,) = await take(holder, 1)
            assert (delivery.id, delivery.body, delivery.deaths) == (message.id, message.body, 0)
            await settle(holder, Release(delivery))
        await ack(holder, await take(holder, 1))

    async def test_a_give_back_with_a_delay_waits(self, bench: Bench) -> None:
        """A delayed give-back is held for its time, then handed out, nothing charged."""
        bench.require(bench.features.max_delay >= 5, "keeps no delays")
        await bench.publish(bench.message())
        subscription = await bench.subscribe()
        (delivery,) = await take(subscription, 1)
        await settle(subscription, Release(delivery, delay=5.0))
        assert await empty(subscription)
        await bench.passes(5.5)
        assert [d.deaths for d in await take(subscription, 1)] == [0]

    async def test_c08_a_retry_sees_what_was_sent(self, bench: Bench) -> None:
        """C08: a message given back has its body and headers as published."""
        message = bench.message(content_type="application/json", key="k")
        await bench.publish(message)
        subscription = await bench.subscribe()
        (first,) = await take(subscription, 1)
        await settle(subscription, Release(first))
        (second,) = await take(subscription, 1)
        assert (second.body, second.key, dict(second.headers)) == (first.body, first.key, dict(first.headers))

    async def test_again_swaps_the_message_in_one_step(self, bench: Bench) -> None:
        """The next attempt replaces this one: new body, its delay, same id, one message throughout."""
        bench.require(bench.keeps_place, "does not replace")
        message = bench.message(key="k")
        await bench.publish(message)
        subscription = await bench.subscribe()
        (delivery,) = await take(subscription, 1)
        following = bench.message(id=message.id, body=b"attempt 2", key="k", delay=10.0, content_type="x/y")
        await settle(subscription, Again(delivery, following))
        assert list(await subscription.settle([Ack(delivery)])) == [Settled.LOST]
        assert await empty(subscription)
        await bench.passes(11)
        (second,) = await take(subscription, 1)
        assert (second.id, second.body, second.deaths, second.key) == (message.id, b"attempt 2", 0, "k")
        assert second.headers["content-type"] == "x/y"
        await ack(subscription, [second])
        await bench.passes(1_000)
        assert await empty(subscription)

    async def test_again_may_move_to_another_queue(self, bench: Bench) -> None:
        """A next attempt that belongs elsewhere is there, and no longer here; a missing queue loses nothing."""
        bench.require(bench.features.replaces, "does not replace")
        other = QueueSpec(name="other", types=("T",))
        await bench.transport.setup([other])
        await bench.publish(bench.message())
        subscription = await bench.subscribe()
        (delivery,) = await take(subscription, 1)
        lost = await subscription.settle([Again(delivery, bench.message(queue="nowhere", id=delivery.id))])
        assert list(lost) == [Settled.UNKNOWN]
        await settle(subscription, Again(delivery, bench.message(queue=other.name, id=delivery.id)))
        assert await empty(subscription)
        assert [d.id for d in await take(await bench.subscribe(other), 1)] == [delivery.id]

    async def test_many_settlements_of_every_kind_in_one_turn(self, bench: Bench) -> None:
        """Answers stand in the order of the items, whatever they are settled together with."""
        bench.require(bench.features.replaces, "does not replace")
        await bench.publish(*(bench.message() for _ in range(90)))
        subscription = await bench.subscribe()
        got = await take(subscription, 90)
        again = [Again(d, bench.message(id=d.id, body=b"again")) for d in got[60:]]
        parts = [[Ack(d) for d in got[:30]], [Release(d) for d in got[30:60]], again]
        answers = await asyncio.gather(*(subscription.settle(part) for part in parts))
        assert [list(answer) for answer in answers] == [[Settled.DONE] * 30] * 3
        left = await take(subscription, 60)
        assert {d.id for d in left} == {d.id for d in got[30:]}
        assert sum(d.body == b"again" for d in left) == 30

    async def test_one_stale_settlement_among_good_ones_is_found(self, bench: Bench) -> None:
        """A lost delivery in a batch is answered LOST; the others are done."""
        await bench.publish(*(bench.message() for _ in range(20)))
        subscription = await bench.subscribe()
        got = await take(subscription, 20)
        await ack(subscription, got[7:8])
        answers = list(await subscription.settle([Ack(delivery) for delivery in got]))
        assert [number for number, answer in enumerate(answers) if answer is Settled.LOST] == [7]
        await bench.passes(1_000)
        assert await empty(subscription)

    async def test_c12_bad_consumers_hinder_no_good_one(self, bench: Bench) -> None:
        """C12: while three consumers give everything back, a fourth handles all fifty messages."""
        await bench.publish(*(bench.message() for _ in range(50)))
        done: set[str] = set()

        async def bad() -> None:
            subscription = await bench.subscribe()
            while len(done) < 50:
                for delivery in await subscription.receive(2, 0.01):
                    await subscription.settle([Release(delivery)])

        async def good() -> None:
            subscription = await bench.subscribe()
            while len(done) < 50:
                got = await subscription.receive(5, 0.01)
                await ack(subscription, got)
                done.update(delivery.id for delivery in got)

        async with asyncio.timeout(60):
            await asyncio.gather(bad(), bad(), bad(), good())
        assert len(done) == 50

    async def test_c34_a_receipt_of_an_earlier_connection_is_harmless(self, bench: Bench) -> None:
        """C34: settling over a closed connection never raises, breaks nothing and settles no other message."""
        await bench.publish(bench.message())
        old = await bench.subscribe()
        (delivery,) = await take(old, 1)
        await bench.restart()
        await bench.passes(1_000)
        subscription = await bench.subscribe()
        (fresh,) = await take(subscription, 1)
        assert fresh.id == delivery.id
        (answer,) = await old.settle([Ack(delivery)])
        assert answer in {Settled.LOST, Settled.UNKNOWN}
        assert list(await subscription.settle([Ack(delivery)])) == [Settled.LOST]
        await ack(subscription, [fresh])

    async def test_depth_counts_by_state(self, bench: Bench) -> None:
        """What is ready, held and delayed is counted as such."""
        bench.require(bench.features.depth == "exact", "does not count exactly")
        await bench.publish(*(bench.message() for _ in range(5)))
        await bench.publish(*(bench.message(delay=100.0) for _ in range(2)))
        subscription = await bench.subscribe()
        got = await take(subscription, 3)
        depth = await bench.depth()
        assert (depth.ready, depth.in_flight, depth.delayed) == (2, 3, 2)
        await settle(subscription, Ack(got[0]), Release(got[1]), Release(got[2], delay=50.0))
        depth = await bench.depth()
        assert (depth.ready, depth.in_flight, depth.delayed) == (3, 0, 3)
        assert (await bench.depth(QueueSpec(name="nowhere", types=()))).ready == 0
