"""Pulls that are never broken off, lanes, leases, and settlements that the service answers badly."""

import asyncio

import msgspec
import pytest

from tests.unit.transports.pubsub.service import CONFIGURED, FakeConnection, failure, pulled
from transports.pubsub import acknowledging, pulling, wire
from transports.pubsub import subscription as subscriptions
from transports.pubsub.transport import PubsubTransport
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, QueueSpec, Release, Settled


@pytest.fixture
def service():
    connection = FakeConnection()
    connection.open = True
    return connection


@pytest.fixture
async def transport(service):
    made = PubsubTransport("jobs", CONFIGURED)
    made.connection = made._topology._connection = service
    yield made
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


@pytest.fixture
async def subscription(transport):
    return await transport.subscribe(QueueSpec(name="keyed", types=("T",), keyed=True), slots=10)


@pytest.fixture
async def plain(transport):
    return await transport.subscribe(QueueSpec(name="plain", types=("T",)), slots=10)


def acknowledged(service):
    return [list(request.ack_ids) for request in service.requests(wire.ACKNOWLEDGE)]


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


def changed(service):
    return [(list(r.ack_ids), r.ack_deadline_seconds) for r in service.requests(wire.MODIFY_DEADLINE)]


async def test_a_cancelled_receive_breaks_no_pull_off_and_its_messages_go_back(
    subscription, service, monkeypatch
):
    monkeypatch.setattr(subscriptions, "_KEPT", 0.0)
    answer = asyncio.get_running_loop().create_future()
    service.next(wire.PULL, wire.Pulled(), answer)
    receiving = asyncio.ensure_future(subscription.receive(5, 60.0))
    await turns()
    receiving.cancel()
    await turns()
    assert not answer.cancelled()
    answer.set_result(pulled(b"1"))
    await turns()
    assert changed(service) == [(["ack-1"], 0)]


@pytest.mark.parametrize("end", ["pause", "close"])
async def test_what_an_open_pull_brings_after_the_end_goes_back_at_once(subscription, service, end):
    answer = asyncio.get_running_loop().create_future()
    service.next(wire.PULL, wire.Pulled(), answer)
    assert not await subscription.receive(5, 0.0)
    await turns()
    await (subscription.pause() if end == "pause" else subscription.close(1.0))
    answer.set_result(pulled(b"1", b"2"))
    await turns()
    assert changed(service) == [(["ack-1", "ack-2"], 0)]
    assert not await subscription.receive(5, 0.0)


async def test_of_one_key_only_the_first_is_handed_out_and_the_next_when_it_is_done(
    subscription, service, monkeypatch
):
    monkeypatch.setattr(subscriptions, "_KEPT", 3600.0)  # a busy machine may let it wait
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2", b"3", key="a"))
    for body in (b"1", b"2", b"3"):
        (delivery,) = await subscription.receive(5, 30.0)
        assert delivery.body == body
        assert list(await subscription.settle([Ack(delivery)])) == [Settled.DONE]
    assert acknowledged(service) == [["ack-1"], ["ack-2"], ["ack-3"]]


async def test_acknowledgements_that_come_soon_after_another_go_together(transport, service, monkeypatch):
    monkeypatch.setattr(acknowledging, "_APART", 3600.0)
    plain = await transport.subscribe(QueueSpec(name="plain", types=("T",)), slots=10)
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2", b"3", b"4"))
    first, *others, last = await plain.receive(5, 30.0)
    assert list(await plain.settle([Ack(first)])) == [Settled.DONE]
    settling = [asyncio.ensure_future(plain.settle([Ack(each)])) for each in others]
    await turns()
    await plain.settle([Release(last)])
    assert acknowledged(service) == [["ack-1"]]
    await plain._puller._acknowledger.finish()
    assert [list(answers) for answers in await asyncio.gather(*settling)] == [[Settled.DONE]] * 2
    assert acknowledged(service) == [["ack-1"], ["ack-2", "ack-3"]]


async def test_of_a_queue_that_keeps_order_acknowledgements_wait_for_no_company(
    transport, service, monkeypatch
):
    monkeypatch.setattr(acknowledging, "_APART", 3600.0)
    keyed = await transport.subscribe(QueueSpec(name="keyed", types=("T",), keyed=True), slots=10)
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2", key="a"))
    for _ in range(2):
        (delivery,) = await keyed.receive(5, 30.0)
        assert list(await keyed.settle([Ack(delivery)])) == [Settled.DONE]


async def test_nothing_overtakes_what_was_lost_behind_a_head(subscription, service):
    """The service sends the lost one again, and after it what follows; it must not be handed out before."""
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2", b"3", key="a"))
    (head,) = await subscription.receive(5, 30.0)
    second, _third = subscription._prefetched.behind([head])
    second.receipt.until = 0.0
    await subscription.settle([Ack(head)])
    assert changed(service) == [(["ack-3"], 0)]
    assert not await subscription.receive(5, 0.0)


@pytest.mark.parametrize("received", [True, False])
async def test_what_waits_behind_a_lost_head_goes_back(subscription, service, received):
    """It would be kept for as long as nothing else of its key comes."""
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2", key="a"))
    if received:
        (head,) = await subscription.receive(5, 30.0)
        head.receipt.until = 0.0
        assert list(await subscription.settle([Release(head)])) == [Settled.LOST]
    else:
        await subscription.receive(5, 0.0)
        await turns()
        subscription._prefetched._ready[0].receipt.until = 0.0
        assert not await subscription.receive(5, 0.0)
        await turns()
    assert changed(service) == [(["ack-2"], 0)]
    assert not subscription._prefetched._lanes._lanes


async def test_a_settlement_under_way_is_not_taken_for_a_lost_head(subscription, service):
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2", key="a"))
    (head,) = await subscription.receive(5, 30.0)
    answer = asyncio.get_running_loop().create_future()
    service.next(wire.ACKNOWLEDGE, answer)
    settling = asyncio.ensure_future(subscription.settle([Ack(head)]))
    await turns()
    assert list(await subscription.settle([Ack(head)])) == [Settled.LOST]
    answer.set_result(None)
    assert list(await settling) == [Settled.DONE]
    assert not changed(service)


async def test_one_unknown_id_among_many_is_found_by_halves_and_lost_alone(plain, service):
    bodies = [b"%d" % number for number in range(64)]
    service.next(wire.PULL, wire.Pulled(), pulled(*bodies))
    got = await plain.receive(100, 30.0)

    class Unknowing(FakeConnection):
        async def call(self, method, request, timeout=None):
            await super().call(method, request, timeout)
            if "ack-40" in request.ack_ids:
                raise failure("INVALID_ARGUMENT")

    asked = plain._puller._acknowledger._connection = Unknowing()
    answers = await plain.settle([Ack(each) for each in got])
    assert [n for n, answer in enumerate(answers) if answer is not Settled.DONE] == [40]
    assert answers[40] is Settled.LOST
    assert len(asked.requests(wire.ACKNOWLEDGE)) <= 2 * 6 + 1


async def test_looking_for_an_unknown_id_ends_with_the_time_of_one_answer(plain, service):
    service.next(wire.PULL, wire.Pulled(), pulled(*[b"%d" % number for number in range(64)]))
    got = await plain.receive(100, 30.0)

    class Slow(FakeConnection):
        async def call(self, method, request, timeout=None):
            await super().call(method, request, timeout)
            await asyncio.sleep(self.settings.timeout / 4)
            raise failure("INVALID_ARGUMENT")

    asked = plain._puller._acknowledger._connection = Slow()
    answers = await plain.settle([Ack(each) for each in got])
    assert set(answers) <= {Settled.LOST, Settled.UNKNOWN} and Settled.UNKNOWN in answers
    assert len(asked.requests(wire.ACKNOWLEDGE)) <= 6


async def test_pulls_that_are_answered_at_once_with_nothing_do_not_follow_one_another_at_once(
    subscription, service
):
    service.next(wire.PULL, *[wire.Pulled()] * 10_000)
    assert not await subscription.receive(5, 0.3)
    assert len(service.requests(wire.PULL)) < 20


async def test_a_fault_of_the_library_is_told_and_not_met_again_and_again_in_silence(subscription, service):
    service.next(wire.PULL, wire.Pulled(), AttributeError("received_messages"))
    with pytest.raises(AttributeError):
        await subscription.receive(5, 5.0)


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "RESOURCE_EXHAUSTED"])
async def test_whoever_refuses_to_look_has_answered_and_the_pull_goes_on(
    subscription, service, monkeypatch, code
):
    monkeypatch.setattr(pulling, "QUIET", 0.0)
    subscription._puller._tick = 0.001
    answer = asyncio.get_running_loop().create_future()
    service.next(wire.PULL, wire.Pulled(), answer)
    service.next(wire.GET_SUBSCRIPTION, *[failure(code)] * 3)
    receiving = asyncio.ensure_future(subscription.receive(5, 30.0))
    while service.answers[wire.GET_SUBSCRIPTION.path]:
        await asyncio.sleep(0)
    answer.set_result(pulled(b"1"))
    (delivery,) = await receiving
    assert delivery.body == b"1" and not service.renewed


async def test_a_head_that_goes_back_takes_along_in_order_what_waits_behind_it(subscription, service):
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2", b"3", key="a"))
    (head,) = await subscription.receive(5, 30.0)
    await subscription.settle([Release(head)])
    assert changed(service) == [(["ack-1", "ack-2", "ack-3"], 0)]


async def test_what_waits_behind_a_head_is_held_as_long_as_the_head(subscription, service):
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2", key="a"))
    (head,) = await subscription.receive(5, 30.0)
    assert list(await subscription.extend([head])) == [Settled.DONE]
    assert changed(service) == [(["ack-1", "ack-2"], 60)]


async def test_exactly_once_an_acknowledgement_that_came_too_late_is_lost_alone(subscription, service):
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2", b"3"))
    got = await subscription.receive(5, 30.0)
    service.next(
        wire.ACKNOWLEDGE,
        failure(
            "FAILED_PRECONDITION",
            **{
                "ack-2": "PERMANENT_FAILURE_INVALID_ACK_ID",
                "ack-3": "TRANSIENT_FAILURE_UNORDERED_ACK_ID",
            },
        ),
    )
    answers = await subscription.settle([Ack(delivery) for delivery in got])
    assert list(answers) == [Settled.DONE, Settled.LOST, Settled.DONE]
    assert acknowledged(service)[1:] == [["ack-3"]]


@pytest.mark.parametrize("exactly_once", [False, True])
@pytest.mark.parametrize("what", ["ack", "extend"])
async def test_what_is_answered_when_the_lease_is_over_is_believed_with_exactly_once_only(
    subscription, service, exactly_once, what
):
    """A service without it says yes to late acknowledgements, and does nothing."""
    service.settings = msgspec.structs.replace(CONFIGURED, exactly_once=exactly_once)
    service.next(wire.PULL, wire.Pulled(), pulled(b"1"))
    (delivery,) = await subscription.receive(5, 30.0)
    answer = asyncio.get_running_loop().create_future()
    service.next(wire.ACKNOWLEDGE if what == "ack" else wire.MODIFY_DEADLINE, answer)
    asking = asyncio.ensure_future(
        subscription.settle([Ack(delivery)]) if what == "ack" else subscription.extend([delivery])
    )
    await turns()
    delivery.receipt.until = 0.0
    answer.set_result(None)
    assert list(await asking) == [Settled.DONE if exactly_once else Settled.UNKNOWN]


async def test_a_service_that_does_not_answer_leaves_a_settlement_unknown(subscription, service):
    service.next(wire.PULL, wire.Pulled(), pulled(b"1"))
    got = await subscription.receive(5, 30.0)
    service.next(wire.ACKNOWLEDGE, *[failure("UNAVAILABLE", doubtful=True)] * 20)
    assert list(await subscription.settle([Ack(got[0])])) == [Settled.UNKNOWN]


async def test_a_give_back_with_a_delay_is_held_by_the_service_for_ten_minutes_at_most(subscription, service):
    service.next(wire.PULL, wire.Pulled(), pulled(b"1", b"2"))
    first, second = await subscription.receive(5, 30.0)
    await subscription.settle([Release(first, 4.2), Release(second, 3600.0)])
    assert sorted(changed(service)) == [(["ack-1"], 5), (["ack-2"], 600)]


async def test_what_the_service_does_not_count_may_have_been_handed_out_before(subscription, service):
    service.next(
        wire.PULL, wire.Pulled(), pulled(b"1", attempt=0), pulled(b"2", attempt=1), pulled(b"3", attempt=2)
    )
    got = [(await subscription.receive(1, 30.0))[0] for _ in range(3)]
    assert [delivery.redelivered for delivery in got] == [True, False, True]


async def test_what_was_put_aside_is_handed_out_too_and_settled_where_it_came_from(subscription, service):
    service.next(wire.PULL, pulled(b"dead", attempt=0))
    (delivery,) = await subscription.receive(5, 30.0)
    assert (delivery.queue, delivery.redelivered) == ("keyed", True)
    await subscription.settle([Ack(delivery)])
    (request,) = service.requests(wire.ACKNOWLEDGE)
    assert request.subscription.endswith("/keyed.dead")


async def test_a_pull_that_stays_open_and_silent_on_a_dead_line_is_found_out(
    subscription, service, monkeypatch
):
    monkeypatch.setattr(pulling, "QUIET", 0.0)
    subscription._puller._tick = 0.001
    service.next(wire.GET_SUBSCRIPTION, failure("DEADLINE_EXCEEDED", doubtful=True))
    with pytest.raises(TransportUnavailable):
        await subscription.receive(5, 5.0)
    assert service.renewed == 1


async def test_a_subscription_that_is_gone_and_was_set_up_elsewhere_is_told(subscription, service):
    service.next(wire.PULL, wire.Pulled(), failure("NOT_FOUND"))
    with pytest.raises(TransportUnavailable):
        await subscription.receive(5, 5.0)
    assert not service.requests(wire.CREATE_SUBSCRIPTION)


async def test_a_subscription_that_is_gone_and_was_set_up_here_is_made_again_and_pulled_from(
    transport, subscription, service
):
    await transport.setup([QueueSpec(name="keyed", types=("T",), keyed=True)])
    service.asked.clear()
    service.next(wire.PULL, wire.Pulled(), failure("NOT_FOUND"), pulled(b"1"))
    service.next(wire.GET_SUBSCRIPTION, *[failure("NOT_FOUND")] * 2)
    (delivery,) = await subscription.receive(5, 5.0)
    assert delivery.body == b"1"
    (_, made) = service.requests(wire.CREATE_SUBSCRIPTION)
    assert made.name.endswith("/keyed") and made.enable_message_ordering


async def test_a_subscription_that_goes_as_often_as_it_is_made_is_told(transport, subscription, service):
    await transport.setup([QueueSpec(name="keyed", types=("T",), keyed=True)])
    service.next(wire.PULL, wire.Pulled(), *[failure("NOT_FOUND")] * 2)
    service.next(wire.GET_SUBSCRIPTION, *[failure("NOT_FOUND")] * 2)
    with pytest.raises(TransportUnavailable):
        await subscription.receive(5, 5.0)


async def test_a_subscription_that_may_not_be_made_again_is_told(transport, subscription, service):
    await transport.setup([QueueSpec(name="keyed", types=("T",), keyed=True)])
    service.next(wire.PULL, wire.Pulled(), failure("NOT_FOUND"))
    service.next(wire.GET_SUBSCRIPTION, *[failure("NOT_FOUND")] * 2)
    service.next(wire.CREATE_TOPIC, failure("PERMISSION_DENIED"))
    with pytest.raises(TransportUnavailable, match="PERMISSION_DENIED"):
        await subscription.receive(5, 5.0)


async def test_a_lease_began_no_later_than_when_its_answer_was_surely_not_there(subscription, service):
    """A process that was frozen while the answer came does not take the message for freshly had."""
    answer = asyncio.get_running_loop().create_future()
    service.next(wire.PULL, wire.Pulled(), answer)
    receiving = asyncio.ensure_future(subscription.receive(5, 60.0))
    await turns()
    before = asyncio.get_running_loop().time()
    answer.set_result(pulled(b"1"))
    (delivery,) = await receiving
    assert delivery.receipt.until <= before + 60 * 0.95
