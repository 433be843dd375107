"""A broker that takes things away: queues, consumers, rights, memory; and what it refuses for good."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import quote, urlsplit

import aio_pika
import httpx
import pytest

from tests.integration.rabbitmq.conftest import PATIENCE, QUEUE, Flow, make, message, publish_surely
from transports.rabbitmq import encoding, upkeep
from transports.rabbitmq import subscription as subscription_module
from worker.errors import ConfigurationError, TransportUnavailable
from worker.messaging.transport import Ack, Again, Outgoing, QueueSpec, Release

pytestmark = [pytest.mark.broker, pytest.mark.fault, pytest.mark.usefixtures("short_ladder")]


def vhost(url: str) -> str:
    return urlsplit(url).path[1:]


async def test_a_deleted_queue_is_created_again(flow: Flow, rabbitmq, rabbitmq_url: str) -> None:
    """F14: when the queue is deleted under its consumer, it is set up anew and consumed."""
    await publish_surely(flow.transport, 1)
    await flow.until(1)
    for number in range(2, 4):
        await asyncio.to_thread(rabbitmq.api, "DELETE", f"queues/{vhost(rabbitmq_url)}/{QUEUE.name}")
        await publish_surely(flow.transport, number)
        await flow.until(number)
    assert await flow.transport.missing([QUEUE]) == []


async def test_a_publisher_sets_a_deleted_queue_up_again(transport, rabbitmq, rabbitmq_url: str) -> None:
    """F14: no worker consumes, the queue is deleted: the next publish goes through, as its queue was set up here."""
    await asyncio.to_thread(rabbitmq.api, "DELETE", f"queues/{vhost(rabbitmq_url)}/{QUEUE.name}")
    (outcome,) = await transport.publish([message(1)])
    assert outcome.accepted


async def test_other_arguments_are_a_configuration_error(rabbitmq_url: str) -> None:
    """A queue that exists with other arguments is told by queue, argument and what to do; not tried again."""
    first = make(rabbitmq_url)
    await first.connect()
    await first.setup([QUEUE])
    second = make(rabbitmq_url, queue_type="classic")
    await second.connect()
    with pytest.raises(ConfigurationError, match=r"arg 'x-.*'jobs'.*queue_type"):
        await second.setup([QUEUE])
    await second.ping()
    await asyncio.gather(first.close(), second.close())


async def test_wrong_credentials_are_named_without_the_password(rabbitmq_url: str) -> None:
    """F13: the error says which user is refused, and that it is a refusal."""
    wrong = rabbitmq_url.replace("guest:guest@", "guest:hunter2@")
    with pytest.raises(TransportUnavailable, match=r"refuses us \(user 'guest'\)") as caught:
        await make(wrong).connect()
    assert "hunter2" not in str(caught.value)


async def test_revoked_and_restored_rights_need_no_human(flow: Flow, rabbitmq, rabbitmq_url: str) -> None:
    """F13: without its rights the consumer says why it is down; with them back it goes on by itself."""
    name = vhost(rabbitmq_url)
    user = quote(urlsplit(rabbitmq_url).username)
    await publish_surely(flow.transport, 1)
    await flow.until(1)

    def cut() -> None:
        for connection in rabbitmq.api("GET", "connections").json():
            if connection["vhost"] == name:
                with contextlib.suppress(
                    httpx.HTTPStatusError
                ):  # it is gone already: the list is seconds old
                    rabbitmq.api("DELETE", f"connections/{quote(connection['name'])}")

    await asyncio.to_thread(rabbitmq.api, "DELETE", f"permissions/{name}/{user}")
    while not flow.errors:
        await asyncio.to_thread(cut)
        await asyncio.sleep(0.2)
    async with asyncio.timeout(PATIENCE):
        while "refuses us" not in flow.errors[-1]:
            await asyncio.sleep(0.02)
    await asyncio.to_thread(
        rabbitmq.api, "PUT", f"permissions/{name}/{user}", configure=".*", write=".*", read=".*"
    )
    await publish_surely(flow.transport, 2)
    await flow.until(2)


async def test_a_message_that_is_handed_out_too_often_is_put_aside_and_told(rabbitmq_url: str) -> None:
    """F02: beyond the delivery limit a message comes from where it was put aside, marked, with as many deaths."""
    transport = make(rabbitmq_url, delivery_limit=20)
    await transport.connect()
    await transport.setup([QUEUE])
    await transport.publish([message(1)])
    deaths = 0
    async with asyncio.timeout(PATIENCE):
        while not deaths:
            subscription = await transport.subscribe(QUEUE, slots=1)
            for delivery in await subscription.receive(1, 5.0):
                assert delivery.id == "m1"
                deaths = delivery.deaths
                assert delivery.redelivered or not deaths
                if deaths:
                    await subscription.settle([Ack(delivery)])
                else:
                    await subscription.settle([Release(delivery)])
            await subscription.close(1.0)
    assert deaths >= 20
    assert not await transport.missing([QUEUE])
    await transport.close()


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
async def test_what_was_handed_out_before_comes_marked(rabbitmq_url: str, queue_type: str) -> None:
    """A message that its consumer has not settled is told from one that comes for the first time."""
    transport = make(rabbitmq_url, queue_type=queue_type)
    await transport.connect()
    await transport.setup([QUEUE])
    await transport.publish([message(1)])
    marks = []
    for _ in range(2):
        subscription = await transport.subscribe(QUEUE, slots=1)
        marks += [delivery.redelivered for delivery in await subscription.receive(1, PATIENCE)]
        await subscription.close(1.0)
    await transport.close()
    assert marks == [False, True]


async def test_priorities_where_the_queue_type_has_them(rabbitmq_url: str) -> None:
    """Of what waits in a classic queue the higher priority comes first."""
    transport = make(rabbitmq_url, queue_type="classic")
    await transport.connect()
    await transport.setup([QUEUE])
    assert transport.features.priorities == 10
    await transport.publish([message(number, priority=number) for number in (1, 5, 3)])
    subscription = await transport.subscribe(QUEUE, slots=5)
    got: list = []
    while len(got) < 3:
        got.extend(await subscription.receive(3, 5.0))
    assert [delivery.id for delivery in got] == ["m5", "m3", "m1"]
    await transport.close()


async def test_a_next_attempt_keeps_its_place_over_a_lost_connection(transport, proxy) -> None:
    """C20: the next attempt of a message with a key is remembered when the broker hands the original out anew."""
    keyed = QueueSpec(name="keyed", types=("Job",), keyed=True)
    await transport.setup([keyed])
    subscription = await transport.subscribe(keyed, slots=5)
    first, second = (message(number, queue="keyed", key="k") for number in (1, 2))
    await transport.publish([first, second])
    (delivery,) = await subscription.receive(5, 5.0)
    following = Outgoing(queue="keyed", id="m1", type="Job", body=b"attempt 2", key="k")
    proxy.refuse()
    await subscription.settle([Again(delivery, following)])
    proxy.cut()
    proxy.accept()
    bodies = []
    async with asyncio.timeout(PATIENCE):
        while len(bodies) < 2:
            try:
                for delivery in await subscription.receive(5, 5.0):
                    bodies.append((delivery.id, delivery.body))
                    await subscription.settle([Ack(delivery)])
            except TransportUnavailable:
                await asyncio.sleep(0.02)
    assert bodies == [("m1", b"attempt 2"), ("m2", b"{}")]


async def test_depth_tells_what_amqp_knows_and_no_more(rabbitmq_url: str) -> None:
    """Ready messages and consumers are counted; what is handed out or delayed is unknown, not 0."""
    keyed = QueueSpec(name="keyed", types=("Job",), keyed=True)
    transport = make(rabbitmq_url)
    await transport.connect()
    await transport.setup([keyed])
    await transport.publish(
        [message(number, queue="keyed", key="k" if number else None) for number in range(3)]
    )
    depth = (await transport.depth(["keyed"]))["keyed"]
    assert (depth.ready, depth.in_flight, depth.delayed, depth.consumers) == (3, None, None, 0)
    subscription = await transport.subscribe(keyed, slots=1)
    depth = (await transport.depth(["keyed"]))["keyed"]
    assert (depth.ready, depth.consumers) == (0, 1)
    await subscription.close(1.0)
    missing = (await transport.depth(["nowhere"]))["nowhere"]
    assert (missing.ready, missing.consumers) == (None, None)
    await transport.close()


async def test_the_management_interface_tells_what_is_handed_out(rabbitmq, rabbitmq_url: str) -> None:
    """With its address configured, what is in flight is counted; when it does not answer, that is unknown."""
    transport = make(rabbitmq_url, management_url=rabbitmq.management)
    await transport.connect()
    await transport.setup([QUEUE])
    await transport.publish([message(number) for number in range(3)])
    subscription = await transport.subscribe(QUEUE, slots=10)
    async with asyncio.timeout(PATIENCE):
        while (await transport.depth([QUEUE.name]))[QUEUE.name].in_flight != 3:
            await asyncio.sleep(0.2)
    await subscription.close(1.0)
    await transport.close()
    transport = make(rabbitmq_url, management_url="http://guest:hunter2@127.0.0.1:1")
    await transport.connect()
    depth = (await transport.depth([QUEUE.name]))[QUEUE.name]
    assert (depth.ready, depth.in_flight) == (3, None)
    await transport.close()


async def test_a_consumer_that_the_broker_forgot_is_renewed(
    flow: Flow, rabbitmq, rabbitmq_url: str, monkeypatch
) -> None:
    """F06: a queue that is deleted and back at once leaves its consumers deaf; an idle one is put in their place."""
    monkeypatch.setattr(upkeep, "_IDLE", 0.3)
    other = make(rabbitmq_url)
    await other.connect()
    for number in range(3):
        await publish_surely(flow.transport, number)
        await flow.until(number)
        await asyncio.to_thread(rabbitmq.api, "DELETE", f"queues/{vhost(rabbitmq_url)}/{QUEUE.name}")
        await other.setup([QUEUE])
        await publish_surely(other, f"{number}-after")
        await flow.until(f"{number}-after")
    await other.close()


async def test_an_event_in_binary_mode_reaches_its_reader(transport) -> None:
    """What another producer sends in CloudEvents' binary mode for AMQP arrives with its attributes as headers."""
    connection = await aio_pika.connect(
        f"amqp://guest:guest@{transport.settings.hosts[0][0]}:{transport.settings.hosts[0][1]}/{transport.settings.vhost}"
    )
    channel = await connection.channel()
    headers = {"cloudEvents:specversion": "1.0", "cloudEvents:id": "e1", "cloudEvents:type": "Job", "n": 7}
    await channel.default_exchange.publish(
        aio_pika.Message(b'{"a": 1}', content_type="application/json", headers=headers, expiration=60),
        routing_key=QUEUE.name,
    )
    subscription = await transport.subscribe(QUEUE, slots=1)
    (delivery,) = await subscription.receive(1, 10.0)
    assert delivery.body == b'{"a": 1}'
    assert dict(delivery.headers) == {
        "content-type": "application/json",
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": "e1",
        "cloudEvents:type": "Job",
        "n": "7",
    }
    await connection.close()


async def test_what_is_published_can_be_read_by_others(transport) -> None:
    """Another client finds a persistent message with its id, type, content type and body."""
    settings = transport.settings
    await transport.publish([message("é", body=b"x" * 300_000, key="k")])
    host, port = settings.hosts[0]
    async with await aio_pika.connect(f"amqp://guest:guest@{host}:{port}/{settings.vhost}") as connection:
        queue = await (await connection.channel()).get_queue(QUEUE.name)
        got = await queue.get(timeout=10)
        assert (got.message_id, got.type, got.content_type) == ("mé", "Job", "application/cloudevents+json")
        assert (got.body, got.delivery_mode, got.headers["key"]) == (b"x" * 300_000, 2, "k")
        await got.ack()


async def test_a_publisher_that_set_nothing_up_keeps_the_order(rabbitmq_url: str) -> None:
    """A process that only sends finds out where messages with a key belong."""
    keyed = QueueSpec(name="keyed", types=("Job",), keyed=True)
    consumer, sender = make(rabbitmq_url), make(rabbitmq_url)
    await consumer.connect()
    await sender.connect()
    await consumer.setup([keyed])
    await sender.publish([message(number, queue="keyed", key="k") for number in range(3)])
    subscription = await consumer.subscribe(keyed, slots=5)
    for number in range(3):
        (delivery,) = await subscription.receive(5, 10.0)
        assert delivery.id == f"m{number}"
        await subscription.settle([Ack(delivery)])
    await asyncio.gather(consumer.close(), sender.close())


async def test_a_long_delay_under_a_key_waits_at_the_broker(rabbitmq_url: str, monkeypatch) -> None:
    """Nothing is held in a consumer for longer than the broker lets it: what is delayed for long leaves the line."""
    monkeypatch.setattr(encoding, "LINE", 0.1)
    keyed = QueueSpec(name="keyed", types=("Job",), keyed=True)
    transport = make(rabbitmq_url)
    await transport.connect()
    await transport.setup([keyed])
    await transport.publish(
        [message(1, queue="keyed", key="k", delay=1.0), message(2, queue="keyed", key="k")]
    )
    subscription = await transport.subscribe(keyed, slots=5)
    for number in (2, 1):
        (delivery,) = await subscription.receive(5, 10.0)
        assert (delivery.id, delivery.key) == (f"m{number}", "k")
        await subscription.settle([Ack(delivery)])
    await transport.close()


async def test_slow_handlers_hoard_nothing(rabbitmq_url: str, monkeypatch) -> None:
    """What is held ahead follows the demand: it grows with it, and shrinks when it is over."""
    monkeypatch.setattr(subscription_module, "_REVIEW", 0.2)
    transport = make(rabbitmq_url)
    await transport.connect()
    await transport.setup([QUEUE])
    await transport.publish([message(number) for number in range(400)])
    subscription = await transport.subscribe(QUEUE, slots=5)

    async def handle(limit: int, enough) -> None:
        async with asyncio.timeout(PATIENCE):
            while not enough(subscription._prefetch):
                got = await subscription.receive(limit, 0.1)
                await subscription.settle([Ack(delivery) for delivery in got])
                await transport.publish([message(delivery.id) for delivery in got])

    assert subscription._prefetch == 10
    await handle(100, lambda prefetch: prefetch == 200)
    await handle(2, lambda prefetch: prefetch == 10)
    await transport.close()
