"""What the suite cannot ask of every transport: groups, partitions and topics of a real Kafka."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.conformance.bench import ack, dealt_out, empty, take
from tests.conformance.waiting import PATIENCE, eventually
from tests.integration.kafka.work import QUEUE, Connect, messages
from transports.kafka import session as sessions
from worker.errors import ConfigurationError
from worker.messaging.transport import Delivery, OutcomeKind, Outgoing, QueueSpec, Release

pytestmark = [pytest.mark.broker]


async def test_a_topic_that_differs_is_told(connect: Connect) -> None:
    """Partitions, copies and retention are checked against the configuration; both values are named."""
    await (await connect(partitions=2, retention=3600)).setup([QUEUE])
    other = await connect(partitions=3, retention=7200)
    with pytest.raises(ConfigurationError) as caught:
        await other.setup([QUEUE])
    text = str(caught.value)
    assert "partitions = 2, transports.kafka wants 3" in text
    assert "retention = 3600 s, transports.kafka wants 7200 s" in text
    await (await connect(partitions=2, retention=3600)).setup([QUEUE])


async def test_more_copies_than_brokers_are_refused(connect: Connect) -> None:
    """What the cluster cannot make is a fault of the configuration, in its own words."""
    with pytest.raises(ConfigurationError, match=r"shop-work cannot be created: .*[Rr]eplication"):
        await (await connect(replication=3)).setup([QUEUE])


async def test_a_broker_that_makes_topics_by_itself_hides_nothing(connect: Connect, space: str) -> None:
    """A missing queue is unroutable, and still missing afterwards, though clients that ask for it would make it."""
    transport = await connect()
    await transport.setup([QUEUE])
    for _ in range(2):
        nowhere = Outgoing(queue="nowhere", id="1", type="T", body=b"")
        (outcome,) = await transport.publish([nowhere])
        assert outcome.kind is OutcomeKind.UNROUTABLE
    subscription = await transport.subscribe(QueueSpec(name="nowhere", types=()), slots=1)
    assert not await subscription.receive(1, 0.5)
    assert await transport.missing([QueueSpec(name="nowhere", types=())]) == ["nowhere"]


async def test_a_commit_of_a_topic_that_is_gone_hides_nothing(connect: Connect, kafka_url: str) -> None:
    """Deleted and back, it is shorter than what was committed: what waits is counted, read, and waited for by a burst."""
    transport = await connect(partitions=1)
    await transport.setup([QUEUE])
    await transport.publish(messages(3))
    topic = transport.names.topic(QUEUE.name)
    other = AIOKafkaConsumer(
        bootstrap_servers=kafka_url.removeprefix("kafka://"), group_id=topic, enable_auto_commit=False
    )
    await other.start()
    other.assign([TopicPartition(topic, 0)])
    await other.commit({TopicPartition(topic, 0): 40})
    await other.stop()
    depth = (await transport.depth([QUEUE.name]))[QUEUE.name]
    assert depth.ready == 3
    subscription = await transport.subscribe(QUEUE, slots=10)
    got: list[Delivery] = []
    async with asyncio.timeout(PATIENCE):
        while not await subscription.exhausted():
            got += await subscription.receive(10, 0.1)
    got += await subscription.receive(10, 0.1)
    assert len(got) == 3
    await ack(subscription, got)
    await subscription.close(5.0)
    assert (await transport.depth([QUEUE.name]))[QUEUE.name].ready == 0


async def test_what_waits_is_counted_with_its_age(connect: Connect) -> None:
    """Lag, age and positions are told by partition; what is done is not counted, committed in order or not."""
    transport = await connect()
    await transport.setup([QUEUE])
    assert (await transport.depth([QUEUE.name]))[QUEUE.name].oldest_age is None
    await transport.publish(messages(40))
    await transport.publish([Outgoing(queue=QUEUE.name, id="late", type="Work", body=b"", delay=60.0)])
    depth = (await transport.depth([QUEUE.name]))[QUEUE.name]
    assert (depth.ready, depth.delayed) == (40, 1)
    assert depth.oldest_age is not None and 0 <= depth.oldest_age < 60
    assert sum(one.end for one in depth.positions) == 40
    assert {one.committed for one in depth.positions} == {None}
    subscription = await transport.subscribe(QUEUE, slots=10)
    got = await take(subscription, 40)
    await ack(subscription, got[1:])
    await subscription.close(5.0)
    depth = (await transport.depth([QUEUE.name]))[QUEUE.name]
    assert depth.ready == 1
    assert sum(one.end - (one.committed or 0) for one in depth.positions) >= 1


async def test_a_pause_holds_through_rebalances(connect: Connect) -> None:
    """A paused queue stays paused while members come and go; its lag grows, another queue goes on."""
    free = QueueSpec(name="shop-free", types=("Free",))
    transport = await connect()
    await transport.setup([QUEUE, free])
    paused = await transport.subscribe(QUEUE, slots=10)
    running = await transport.subscribe(free, slots=10)
    await paused.pause()
    await dealt_out(paused)
    for number in range(3):
        await transport.publish(messages(20, number * 20))
        await transport.publish(messages(20, number * 20, free.name))
        guest_transport = await connect()
        guest = await guest_transport.subscribe(QUEUE, slots=10)
        await guest.pause()
        await dealt_out(guest)
        await ack(running, await take(running, 20))
        assert not await guest.receive(10, 0.2)
        assert not await paused.receive(10, 0.2)
        await guest_transport.close()
        assert (await transport.depth([QUEUE.name]))[QUEUE.name].ready == (number + 1) * 20
    await paused.resume()
    for _ in range(60):  # what is held would hold up the partitions that are coming back
        await ack(paused, await take(paused, 1))


async def test_a_subscription_asks_for_what_was_not_started(connect: Connect) -> None:
    """When partitions go to another member, what is given back then is handled there, and nothing twice."""
    first = await connect()
    await first.setup([QUEUE])
    await first.publish(messages(100))
    held = await first.subscribe(QUEUE, slots=10)
    got = await take(held, 100)
    kept, rest = got[:10], got[10:]
    asked = asyncio.Event()
    held.recalled = asked.set
    second = await connect()
    joining = asyncio.ensure_future(second.subscribe(QUEUE, slots=10))
    await eventually(asked.is_set, "the first member is asked")
    await held.settle([Release(delivery) for delivery in rest])
    await ack(held, kept)
    other = await joining
    await dealt_out(other)
    seen = {delivery.id for delivery in kept}
    for _ in range(60):
        for subscription in (held, other):
            more = await subscription.receive(100, 0.2)
            await ack(subscription, more)
            assert seen.isdisjoint(delivery.id for delivery in more)
            seen |= {delivery.id for delivery in more}
        if len(seen) == 100:
            break
    assert len(seen) == 100


async def test_records_of_others_hold_nothing_up(connect: Connect, space: str) -> None:
    """A tombstone, null headers and foreign keys are handed out as they are."""
    transport = await connect()
    await transport.setup([QUEUE])
    server, _, prefix = space.removeprefix("kafka://").partition("/")
    producer = AIOKafkaProducer(bootstrap_servers=server)
    await producer.start()
    try:
        await producer.send_and_wait(f"{prefix}.{QUEUE.name}", None, key=b"\xff", headers=[("x", b"y")])
    finally:
        await producer.stop()
    subscription = await transport.subscribe(QUEUE, slots=1)
    (delivery,) = await take(subscription, 1)
    assert (delivery.body, delivery.headers["x"]) == (b"", "y")
    assert delivery.id.startswith(f"{prefix}.{QUEUE.name}-")
    await ack(subscription, [delivery])


async def test_new_topics_have_what_was_configured(connect: Connect, space: str) -> None:
    """Retention is set on every topic of a queue; 0 keeps for ever."""
    await (await connect(retention=0)).setup([QUEUE])
    server, _, prefix = space.removeprefix("kafka://").partition("/")
    admin = AIOKafkaAdminClient(bootstrap_servers=server)
    await admin.start()
    try:
        asked = ConfigResource(ConfigResourceType.TOPIC, f"{prefix}.{QUEUE.name}.delayed-1h")
        (answer,) = await admin.describe_configs([asked])
    finally:
        await admin.close()
    values = {entry[0]: entry[1] for resource in answer.resources for entry in resource[4]}
    assert values["retention.ms"] == "-1"
    assert values["min.insync.replicas"] == "1"


async def test_a_mark_of_a_transaction_is_no_message(
    connect: Connect, space: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others send in a transaction ends in a mark; behind it nothing waits, and that is known without a quiet time."""
    monkeypatch.setattr(sessions, "_QUIET", 3600.0)
    transport = await connect(partitions=1)
    await transport.setup([QUEUE])
    address, _, prefix = space.removeprefix("kafka://").partition("/")
    producer = AIOKafkaProducer(bootstrap_servers=address, transactional_id=prefix)
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(f"{prefix}.{QUEUE.name}", b"{}")
    finally:
        await producer.stop()
    subscription = await transport.subscribe(QUEUE, slots=10)
    await take(subscription, 1)
    async with asyncio.timeout(PATIENCE):
        while not await subscription.exhausted():
            assert await empty(subscription)
