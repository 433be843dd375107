"""A queue is made so that nothing can be lost, and what is there otherwise is told with what mends it."""

import msgspec
import pytest

from tests.unit.transports.pubsub.service import CONFIGURED, FakeConnection, failure
from transports.pubsub import wire
from transports.pubsub.copying import Copying
from transports.pubsub.names import Names
from transports.pubsub.topology import Topology
from worker.errors import ConfigurationError
from worker.messaging.transport import QueueSpec

QUEUE = QueueSpec(name="orders", types=("T",), keyed=True)


@pytest.fixture
def service():
    return FakeConnection(msgspec.structs.replace(CONFIGURED, emulator_host=""))


@pytest.fixture
def topics(service):
    return Topology("jobs", service, Names("p"), {}, Copying("jobs"))


def made(service):
    return {one.name.rpartition("/")[2]: one for one in service.requests(wire.CREATE_SUBSCRIPTION)}


async def test_a_queue_never_expires_is_kept_for_its_retention_and_put_aside_after_many_deliveries(
    topics, service
):
    await topics.setup([QUEUE])
    queue, aside = made(service)["orders"], made(service)["orders.dead"]
    for each in (queue, aside):
        assert each.HasField("expiration_policy")
        assert not each.expiration_policy.HasField("ttl")
        assert each.message_retention_duration.seconds == CONFIGURED.retention
        assert each.ack_deadline_seconds == CONFIGURED.lease
        assert not each.filter
    assert queue.enable_message_ordering
    assert queue.dead_letter_policy.dead_letter_topic == "projects/p/topics/orders.dead"
    assert queue.dead_letter_policy.max_delivery_attempts >= 20


@pytest.mark.parametrize("keyed", [True, False])
async def test_an_emulator_that_keeps_order_is_not_asked_to_put_anything_aside(keyed):
    """It fails at that, and then answers no pull of the whole queue."""
    service = FakeConnection(msgspec.structs.replace(CONFIGURED, emulator_host="localhost:8085"))
    topics = Topology("jobs", service, Names("p"), {}, Copying("jobs"))
    await topics.setup([msgspec.structs.replace(QUEUE, keyed=keyed)])
    assert made(service)["orders"].HasField("dead_letter_policy") is not keyed


async def test_a_topic_is_never_without_its_subscription_for_who_publishes(topics, service):
    """Both are made before setup returns, where messages are put aside first."""
    await topics.setup([QUEUE])
    assert [one.name.rpartition("/")[2] for one in service.requests(wire.CREATE_TOPIC)] == [
        "orders.dead",
        "orders",
    ]
    assert list(made(service)) == ["orders.dead", "orders"]


DIFFERENCES = {
    "filter": (
        lambda found: setattr(found, "filter", 'attributes.wanted = "yes"'),
        "which drops messages; cannot be changed",
    ),
    "expiration": (
        lambda found: setattr(found.expiration_policy.ttl, "seconds", 60),
        "--expiration-period=never",
    ),
    "attempts": (
        lambda found: setattr(found.dead_letter_policy, "max_delivery_attempts", 5),
        "--max-delivery-attempts=100",
    ),
    "lease": (lambda found: setattr(found, "ack_deadline_seconds", 10), "--ack-deadline=60"),
    "order": (
        lambda found: setattr(found, "enable_message_ordering", False),
        "message ordering off, expected on",
    ),
    "confirmation": (
        lambda found: setattr(found, "enable_exactly_once_delivery", True),
        "--no-enable-exactly-once-delivery",
    ),
    "retention": (
        lambda found: setattr(found.message_retention_duration, "seconds", 600),
        "--message-retention-duration=604800s",
    ),
    "push": (lambda found: setattr(found.push_config, "push_endpoint", "https://x"), "--push-endpoint="),
    "topic": (
        lambda found: setattr(found, "topic", "projects/p/topics/other"),
        "reads projects/p/topics/other",
    ),
}


@pytest.mark.parametrize("what", DIFFERENCES)
async def test_what_a_subscription_has_otherwise_is_told(topics, service, what):
    change, told = DIFFERENCES[what]
    found = topics._wanted(QUEUE)
    change(found)
    service.next(wire.CREATE_SUBSCRIPTION, wire.Subscription(), failure("ALREADY_EXISTS"))
    service.next(wire.GET_SUBSCRIPTION, found)
    with pytest.raises(ConfigurationError) as caught:
        await topics.setup([QUEUE])
    assert told in str(caught.value)
    assert "subscription 'orders'" in str(caught.value)


async def test_where_messages_are_put_aside_must_not_expire_either(topics, service):
    found = topics._plain("orders.dead")
    found.ClearField("expiration_policy")
    service.next(wire.CREATE_SUBSCRIPTION, failure("ALREADY_EXISTS"))
    service.next(wire.GET_SUBSCRIPTION, found)
    with pytest.raises(ConfigurationError, match=r"'orders.dead' expires when it is idle"):
        await topics.setup([QUEUE])


async def test_what_is_as_it_must_be_is_left_alone(topics, service):
    service.next(wire.CREATE_SUBSCRIPTION, wire.Subscription(), failure("ALREADY_EXISTS"))
    service.next(wire.GET_SUBSCRIPTION, topics._wanted(QUEUE))
    await topics.setup([QUEUE])
