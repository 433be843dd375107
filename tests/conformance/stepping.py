"""A clock that is set forward or back holds nothing up and takes nothing away."""

from __future__ import annotations

import pytest

from tests.conformance.bench import Bench, ack, empty, take
from tests.conformance.clock import Clock
from worker.messaging.abilities import ExtendsLease
from worker.messaging.transport import Release, Settled

HOUR = 3600.0


class Stepping:
    """Steps of the wall clock, seen by everyone who uses the broker."""

    async def test_a_clock_set_back_holds_up_nothing_that_has_no_delay(self, bench: Bench) -> None:
        """What was published before the step, and after it, is handed out at once, in order."""
        _clock(bench)
        early, late = bench.message(), bench.message()
        await bench.publish(early)
        await _step(bench, -HOUR)
        await bench.publish(late)
        subscription = await bench.subscribe()
        got = await take(subscription, 2)
        if bench.features.shares == "message":
            assert [delivery.id for delivery in got] == [early.id, late.id]
        await subscription.settle([Release(got[0])])
        await ack(subscription, [*await take(subscription, 1), got[1]])

    @pytest.mark.parametrize("step", [HOUR, -HOUR])
    async def test_a_step_leaves_what_is_held_with_its_holder(self, bench: Bench, step: float) -> None:
        """Set forward by more than a lease, nothing is handed out twice: to those there, nor to those that start later."""
        _leased(bench)
        await bench.publish(bench.message())
        subscription, other = await bench.subscribe(), await bench.subscribe(over=await bench.another())
        assert isinstance(subscription, ExtendsLease)
        got = await take(subscription, 1)
        await _step(bench, step)
        assert await empty(other)
        late = await bench.subscribe(over=await bench.another())
        for _ in range(4):
            assert await empty(late)
            assert list(await subscription.extend(got)) == [Settled.DONE]
            await bench.passes(subscription.lease / 2)
        await ack(subscription, got)

    @pytest.mark.parametrize("step", [HOUR, -HOUR])
    async def test_a_dead_workers_lease_ends_in_time_whatever_the_clock_says(
        self, bench: Bench, step: float
    ) -> None:
        """A step does not keep a dead worker's messages for longer than their lease."""
        _leased(bench)
        await bench.publish(bench.message())
        dead, other = await bench.subscribe(), await bench.subscribe(over=await bench.another())
        assert isinstance(dead, ExtendsLease)
        await take(dead, 1)
        await _step(bench, step)
        await bench.passes(dead.lease - 1)
        assert await empty(other)
        await bench.passes(1.5)
        await ack(other, await take(other, 1))

    @pytest.mark.parametrize("step", [HOUR, -HOUR])
    async def test_a_delay_is_a_length_of_time(self, bench: Bench, step: float) -> None:
        """What waits for ten seconds waits for ten seconds, also over a step."""
        _leased(bench)
        await bench.publish(bench.message(delay=10.0))
        subscription = await bench.subscribe()
        await _step(bench, step)
        await bench.passes(9)
        assert await empty(subscription)
        await bench.passes(1.5)
        await ack(subscription, await take(subscription, 1))


def _clock(bench: Bench) -> Clock:
    if bench.clock is None:
        bench.require(False, "has a clock of its own")
    assert bench.clock is not None
    return bench.clock


def _leased(bench: Bench) -> None:
    bench.require(bench.features.lease, "holds by connection, not by time")
    _clock(bench)


async def _step(bench: Bench, seconds: float) -> None:
    """Set the clock, and let each connection see it."""
    await bench.passes(0)
    _clock(bench).step(seconds)
    await bench.passes(0)
