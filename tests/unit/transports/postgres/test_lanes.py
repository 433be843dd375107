"""Lanes under real concurrency: no message waits behind one that is gone, none overtakes one that is not."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest

from tests.unit.transports.postgres.conftest import QUEUE, message
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack

pytestmark = pytest.mark.broker


async def test_a_message_is_added_while_its_predecessor_leaves(transport, connect, postgres_url):
    """Publishing behind a head in the very moment of its ack leaves no message waiting for ever."""
    other = await connect(postgres_url)
    subscription = await transport.subscribe(QUEUE, slots=10)
    async with asyncio.timeout(60):
        await transport.publish([message(0, key="k")])
        for number in range(1, 60):
            (head,) = await subscription.receive(1, 30.0)
            assert head.id == f"m{number - 1}"
            await asyncio.gather(subscription.settle([Ack(head)]), other.publish([message(number, key="k")]))
        assert [delivery.id for delivery in await subscription.receive(1, 30.0)] == ["m59"]


async def test_many_publish_into_the_same_lanes(transport, connect, postgres_url):
    """Publishers of several processes never make two of one key visible, and never wait in a circle."""
    others = [transport, *[await connect(postgres_url) for _ in range(3)]]
    keys = [f"key-{number}" for number in range(20)]

    async def produce(number):
        for turn in range(5):
            order = keys if number % 2 else keys[::-1]
            batch = [message(id=f"{number}-{turn}-{key}", key=key) for key in order]
            assert all(outcome.accepted for outcome in await others[number].publish(batch))

    async with asyncio.timeout(60):
        await asyncio.gather(*(produce(number) for number in range(4)))
        subscription = await transport.subscribe(QUEUE, slots=100)
        seen: defaultdict[str, list[str]] = defaultdict(list)
        while sum(map(len, seen.values())) < 400:
            got = await subscription.receive(100, 5.0)
            held = [delivery.key for delivery in got]
            assert len(held) == len(set(held)), "two of one key at once"
            for delivery in got:
                seen[delivery.key].append(delivery.id)
            await subscription.settle([Ack(delivery) for delivery in got])
    for key in keys:
        for number in range(4):
            mine = [each for each in seen[key] if each.startswith(f"{number}-")]
            assert mine == [f"{number}-{turn}-{key}" for turn in range(5)], "order of one publisher"


async def test_the_head_of_a_lane_was_there_under_another_key(transport):
    """A lane whose first message turns out to wait elsewhere does not hold its others up."""
    await transport.publish([message(1)])
    await transport.publish([message(1, key="k"), message(2, key="k")])
    subscription = await transport.subscribe(QUEUE, slots=10)
    async with asyncio.timeout(20):
        assert {delivery.id for delivery in await subscription.receive(10, 5.0)} == {"m1", "m2"}


async def test_a_lock_that_somebody_else_holds_is_waited_for_so_long_only(connect, postgres_url, sql):
    """A lane that is locked for good is an outage, and other messages are not held up afterwards."""
    from transports.postgres import lanes

    hasty = await connect(postgres_url, timeout=2)
    numbers = dict(await sql.fetch("SELECT name, id FROM transport_queues"))
    await lanes.begin(sql, [(numbers["jobs"], "k")])
    async with asyncio.timeout(20):
        with pytest.raises(TransportUnavailable):
            outcomes = await hasty.publish([message(1, key="k")])
            raise TransportUnavailable(str(outcomes))  # told by the server or by our own time-out
        assert (await hasty.publish([message(2)]))[0].accepted
    await sql.execute("ROLLBACK")
    assert (await hasty.publish([message(1, key="k")]))[0].accepted
