"""What is published together, and what becomes of it when the service fails."""

import asyncio

import msgspec
import pytest

from tests.unit.transports.pubsub.service import FakeConnection, failure
from transports.pubsub import wire
from transports.pubsub.copying import Copying
from transports.pubsub.names import Names
from transports.pubsub.publishing import Publisher
from transports.pubsub.topology import Topology
from worker.errors import TransportUnavailable
from worker.messaging.transport import OutcomeKind, Outgoing, QueueSpec


@pytest.fixture
def service():
    return FakeConnection()


@pytest.fixture
async def publisher(service):
    return Publisher(service, Topology("jobs", service, Names("p"), {}, Copying("jobs")))


def message(number=0, queue="plain", **more):
    return Outgoing(queue=queue, id=f"m{number}", type="T", body=b"%d" % number, **more)


def bodies(service):
    return [[one.data for one in request.messages] for request in service.requests(wire.PUBLISH)]


def kinds(outcomes):
    return [outcome.kind for outcome in outcomes]


async def test_a_batch_of_one_topic_is_one_request(publisher, service):
    assert all(o.accepted for o in await publisher.publish([message(n, key="k") for n in range(5)]))
    assert bodies(service) == [[b"0", b"1", b"2", b"3", b"4"]]


async def test_more_than_a_thousand_or_ten_megabytes_are_several_requests(publisher, service):
    await publisher.publish([message(n) for n in range(2_100)])
    assert [len(each) for each in bodies(service)] == [1000, 1000, 100]
    service.asked.clear()
    await publisher.publish(
        [Outgoing(queue="plain", id="x", type="T", body=b"x" * 4_000_000) for _ in range(5)]
    )
    assert [len(each) for each in bodies(service)] == [2, 2, 1]


async def test_keys_of_a_queue_that_keeps_their_order_have_requests_of_their_own(publisher, service):
    await publisher.publish([message(n, "keyed", key="ab"[n % 2]) for n in range(4)])
    assert sorted(bodies(service)) == [[b"0", b"2"], [b"1", b"3"]]
    assert {m.ordering_key for r in service.requests(wire.PUBLISH) for m in r.messages} == {"a", "b"}


async def test_a_failed_request_of_a_key_is_sent_again_before_what_came_after_it(publisher, service):
    service.next(wire.PUBLISH, failure("UNAVAILABLE", doubtful=True))
    first = asyncio.ensure_future(publisher.publish([message(1, "keyed", key="a")]))
    for _ in range(10):
        await asyncio.sleep(0)
    second = asyncio.ensure_future(publisher.publish([message(2, "keyed", key="a")]))
    assert kinds([*await first, *await second]) == [OutcomeKind.ACCEPTED] * 2
    assert bodies(service) == [[b"1"], [b"1"], [b"2"]]


async def test_what_may_have_been_taken_is_unknown_and_what_was_not_raises(publisher, service):
    service.next(wire.PUBLISH, *[failure("DEADLINE_EXCEEDED", doubtful=True)] * 20)
    assert kinds(await publisher.publish([message()])) == [OutcomeKind.UNKNOWN]
    service.answers.clear()
    service.next(wire.PUBLISH, *[failure("UNAVAILABLE")] * 20)
    with pytest.raises(TransportUnavailable):
        await publisher.publish([message()])


async def test_one_that_the_service_never_takes_is_found_by_halves_and_refused_alone():
    class Choosy(FakeConnection):
        async def call(self, method, request, timeout=None):
            answer = await super().call(method, request, timeout)
            if method is wire.PUBLISH and any(one.data == b"40" for one in request.messages):
                raise failure("INVALID_ARGUMENT")
            return answer

    service = Choosy()
    publisher = Publisher(service, Topology("jobs", service, Names("p"), {}, Copying("jobs")))
    outcomes = await publisher.publish([message(n) for n in range(64)])
    assert [n for n, each in enumerate(outcomes) if not each.accepted] == [40]
    assert outcomes[40].kind is OutcomeKind.REFUSED
    assert len(bodies(service)) <= 2 * 6 + 1
    taken = [body for request in bodies(service) if b"40" not in request for body in request]
    assert taken == [b"%d" % n for n in range(64) if n != 40]


async def test_an_outage_while_one_of_them_is_looked_for_does_not_deny_what_was_taken(publisher, service):
    service.next(
        wire.PUBLISH,
        failure("INVALID_ARGUMENT"),
        wire.Published(message_ids=["1"]),
        *[failure("UNAVAILABLE")] * 50,
    )
    outcomes = await publisher.publish([message(n) for n in range(3)])
    assert kinds(outcomes) == [OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN, OutcomeKind.UNKNOWN]


async def test_an_answer_that_confirms_another_number_leaves_all_of_them_unknown(publisher, service):
    service.next(wire.PUBLISH, wire.Published(message_ids=["1", "2"]))
    assert kinds(await publisher.publish([message(n) for n in range(3)])) == [OutcomeKind.UNKNOWN] * 3


async def test_nothing_is_published_to_a_topic_that_nobody_keeps(publisher, service):
    service.next(wire.GET_SUBSCRIPTION, failure("NOT_FOUND"))
    (outcome,) = await publisher.publish([message()])
    assert outcome.kind is OutcomeKind.UNROUTABLE and "worker setup" in outcome.detail
    assert not service.requests(wire.PUBLISH)


async def test_a_queue_that_was_set_up_here_and_is_gone_is_made_again_before_the_message_goes_out(service):
    topics = Topology("jobs", service, Names("p"), {}, Copying("jobs"))
    await topics.setup([QueueSpec(name="plain", types=("T",))])
    publisher = Publisher(service, topics)
    await publisher.publish([message(1)])
    service.next(wire.PUBLISH, failure("NOT_FOUND"))
    service.next(wire.GET_SUBSCRIPTION, *[failure("NOT_FOUND")] * 3)
    service.asked.clear()
    assert kinds(await publisher.publish([message(2)])) == [OutcomeKind.ACCEPTED]
    assert [r.name.rpartition("/")[2] for r in service.requests(wire.CREATE_SUBSCRIPTION)] == [
        "plain.dead",
        "plain",
    ]
    assert bodies(service) == [[b"2"], [b"2"]]


async def test_a_queue_that_is_gone_and_may_not_be_made_again_is_unroutable_and_others_go_out(service):
    topics = Topology("jobs", service, Names("p"), {}, Copying("jobs"))
    await topics.setup([QueueSpec(name="plain", types=("T",))])
    publisher = Publisher(service, topics)
    await publisher.publish([message(0, "other")])
    service.next(wire.GET_SUBSCRIPTION, *[failure("NOT_FOUND")] * 3)
    service.next(wire.CREATE_TOPIC, failure("PERMISSION_DENIED"))
    outcomes = await publisher.publish([message(1), message(2, "other")])
    assert kinds(outcomes) == [OutcomeKind.UNROUTABLE, OutcomeKind.ACCEPTED]


async def test_after_a_lost_connection_the_subscription_is_looked_for_before_it_is_sent_again(
    publisher, service
):
    await publisher.publish([message(1)])
    service.asked.clear()
    service.next(wire.PUBLISH, failure("UNAVAILABLE", doubtful=True))
    service.next(wire.GET_SUBSCRIPTION, failure("UNAVAILABLE"))
    assert kinds(await publisher.publish([message(2)])) == [OutcomeKind.ACCEPTED]
    assert len(service.requests(wire.GET_SUBSCRIPTION)) == 2
    assert bodies(service) == [[b"2"], [b"2"]]


async def test_an_id_above_the_limit_is_refused_with_both_sizes(publisher):
    (outcome,) = await publisher.publish([msgspec.structs.replace(message(), id="i" * 1025)])
    assert outcome.kind is OutcomeKind.REFUSED
    assert "1025" in outcome.detail and "1024" in outcome.detail


@pytest.mark.parametrize("queue", ["plain", "keyed"])
async def test_a_key_above_the_limit_goes_by_its_hash(publisher, service, queue):
    assert (
        kinds(await publisher.publish([message(0, queue, key="k" * 1024), message(1, queue, key="k" * 1025)]))
        == [OutcomeKind.ACCEPTED] * 2
    )
    sent = [m.ordering_key or m.attributes["key"] for r in service.requests(wire.PUBLISH) for m in r.messages]
    assert sorted(map(len, sent)) == [64, 1024]


async def test_lanes_of_keys_are_forgotten_when_they_are_done(publisher):
    await publisher.publish([message(n, "keyed", key=f"k{n}") for n in range(50)])
    for _ in range(5):
        await asyncio.sleep(0)
    assert not [lane for lane in publisher._lanes if lane[1]]
