"""Several queues in one group: paused apart, counted apart, and moved there and back without repeating anything."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.conformance.bench import ack, dealt_out, take
from tests.conformance.waiting import eventually
from tests.integration.kafka.work import QUEUE, Connect, messages
from worker.errors import TransportUnavailable
from worker.messaging.transport import Delivery, Outgoing, QueueSpec

pytestmark = [pytest.mark.broker]

FREE = QueueSpec(name="shop-free", types=("Free",))
LATER = QueueSpec(name="shop-later", types=("Later",))
SHARED = {"group": "small"}


async def waiting(transport: Any, queue: QueueSpec = QUEUE) -> int:
    """Messages that wait on a queue, as counted."""
    return int((await transport.depth([queue.name]))[queue.name].ready)


def ids(deliveries: list[Delivery]) -> set[str]:
    return {delivery.id for delivery in deliveries}


async def test_a_paused_queue_leaves_the_others_of_its_group(connect: Connect) -> None:
    """While one is paused its lag grows and others go on, members come and go; then it goes on with all of it."""
    transport = await connect(**SHARED)
    await transport.setup([QUEUE, FREE])
    paused = await transport.subscribe(QUEUE, slots=10)
    running = await transport.subscribe(FREE, slots=10)
    await paused.pause()
    await dealt_out(paused)
    for number in range(3):
        await transport.publish(messages(20, number * 20))
        await transport.publish(messages(20, number * 20, FREE.name))
        guest_transport = await connect(**SHARED)
        guest = await guest_transport.subscribe(QUEUE, slots=10)
        await guest.pause()
        await dealt_out(guest)
        await ack(running, await take(running, 20))
        assert not await guest.receive(10, 0.2)
        assert not await paused.receive(10, 0.2)
        await guest_transport.close()
        assert await waiting(transport) == (number + 1) * 20
    await running.pause()
    await paused.resume()
    for _ in range(60):
        await ack(paused, await take(paused, 1))
    await transport.close()
    other = await connect(**SHARED)
    assert (await waiting(other), await waiting(other, FREE)) == (0, 0)


async def test_a_queue_with_a_backlog_holds_up_no_other(connect: Connect) -> None:
    """What comes on a second queue is handed out though nothing takes from the first, which holds more than is read ahead."""
    transport = await connect(**SHARED)
    await transport.setup([QUEUE, FREE])
    for start in range(0, 3000, 500):
        await transport.publish(messages(500, start))
    full = await transport.subscribe(QUEUE, slots=10)
    free = await transport.subscribe(FREE, slots=10)
    await ack(full, await take(full, 1))
    await transport.publish(messages(20, queue=FREE.name))
    await ack(free, await take(free, 20))
    for _ in range(60):
        await ack(full, await take(full, 50 if _ < 59 else 49))
    assert not await full.receive(1, 0.2)


async def test_one_group_has_all_the_members(connect: Connect, space: str) -> None:
    """The queues' own groups have none: a process is one member, however many queues it takes."""
    transport = await connect(**SHARED)
    await transport.setup([QUEUE, FREE])
    for queue in (QUEUE, FREE):
        await dealt_out(await transport.subscribe(queue, slots=1))
    server, _, prefix = space.removeprefix("kafka://").partition("/")
    admin = AIOKafkaAdminClient(bootstrap_servers=server)
    await admin.start()
    try:
        listed = await admin.list_consumer_groups()
    finally:
        await admin.close()
    joined = [name for name, protocol in listed if name.startswith(f"{prefix}.") and protocol == "consumer"]
    assert joined == [f"{prefix}.small"]


async def test_a_queue_moves_to_a_shared_group_and_back(connect: Connect) -> None:
    """Each goes on where the other had come to, gaps included, and counting follows, whatever it is configured for."""
    first = await connect()
    await first.setup([QUEUE])
    await first.publish(messages(40))
    left = {f"{QUEUE.name}-{number}" for number in range(40)}
    for options in ({}, SHARED, {}, SHARED, SHARED):
        transport = await connect(**options)
        subscription = await transport.subscribe(QUEUE, slots=8)
        got = await take(subscription, len(left))
        assert ids(got) == left
        done = got[1:7]  # the oldest is not among them: the notes have to move too
        await ack(subscription, done)
        left -= ids(done)
        await transport.close()
        for counting in ({}, SHARED):
            assert await waiting(await connect(**counting)) == len(left)


async def test_a_queue_is_not_taken_by_two_groups(connect: Connect) -> None:
    """A member that would take a queue into a shared group is told that workers without it run still; then it goes on."""
    alone = await connect()
    await alone.setup([QUEUE])
    await dealt_out(await alone.subscribe(QUEUE, slots=1))
    await alone.publish(messages(4))
    shared = await connect(**SHARED)
    subscription = await shared.subscribe(QUEUE, slots=1)
    told = ""
    for _ in range(100):
        try:
            assert not await subscription.receive(1, 0.2)
        except TransportUnavailable as error:
            told = str(error)
            break
    assert "shop-work has members still" in told
    await alone.close()

    async def taken() -> bool:
        try:
            return bool(await subscription.receive(1, 0.2))
        except TransportUnavailable:
            await asyncio.sleep(0.1)
            return False

    async with asyncio.timeout(30):
        while not await taken():
            pass


async def test_a_queue_joins_a_member_that_works(connect: Connect) -> None:
    """It finishes what runs, joins anew with the further queue, and handles nothing twice; one that goes is let go."""
    transport = await connect(**SHARED)
    await transport.setup([QUEUE, LATER])
    await transport.publish(messages(20))
    await transport.publish(messages(10, queue=LATER.name))
    first = await transport.subscribe(QUEUE, slots=10)
    got = await take(first, 10)
    asked = asyncio.Event()
    first.recalled = asked.set
    later = await transport.subscribe(LATER, slots=10)
    await eventually(asked.is_set, "what was not started is asked for")
    await ack(first, got)
    await ack(later, await take(later, 10))
    rest = await take(first, 10)
    assert ids(got).isdisjoint(ids(rest))
    await later.close(5.0)
    await ack(first, rest)
    await transport.publish([Outgoing(queue=LATER.name, id="again", type="Later", body=b"{}")])
    other = await connect(**SHARED)
    guest = await other.subscribe(LATER, slots=1)
    await ack(guest, await take(guest, 1))
