"""Copies of what an emulator holds: kept before a message leaves, forgotten before its ack, sent again when it is lost."""

import pytest

from tests.unit.transports.pubsub.service import CONFIGURED, FakeConnection, failure, pulled
from transports import dsn
from transports.pubsub import settings, wire
from transports.pubsub.transport import PubsubTransport
from worker.errors import DatabaseUnavailable, TransportUnavailable
from worker.messaging.copies import Copied, TakesCopies, mark_of
from worker.messaging.transport import Ack, Outgoing, QueueSpec, Settled

QUEUE = QueueSpec(name="plain", types=("T",))


class FakeCopies:
    """Notes what is asked, between the requests to the service."""

    def __init__(self, service):
        self.service = service
        self.down = False
        self.kept = []
        self.dropped = []
        self.asked = []

    async def keep(self, transport, batch):
        self._answer()
        assert not self.service.requests(wire.PUBLISH)
        self.kept += batch

    async def drop(self, transport, copies):
        self._answer()
        assert not self.service.requests(wire.ACKNOWLEDGE)
        self.dropped += copies

    async def now(self):
        return 7.0

    async def send_again(self, transport, queue, before):
        self._answer()
        self.asked.append((queue, before))
        assert not [r for r in self.service.requests(wire.CREATE_SUBSCRIPTION) if r.name.endswith("/plain")]
        return 1

    def _answer(self):
        if self.down:
            raise DatabaseUnavailable("it is down")


@pytest.fixture
def service():
    connection = FakeConnection()
    connection.open = True
    return connection


@pytest.fixture
def copies(service):
    return FakeCopies(service)


@pytest.fixture
async def transport(service, copies):
    made = PubsubTransport("jobs", CONFIGURED)
    made.connection = made._topology._connection = made._publisher._connection = service
    made.copies = copies
    return made


def message(id="1"):
    return Outgoing(queue="plain", id=id, type="T", body=b"1")


COPIED = Copied("plain", "1", mark_of(b"1"))


def test_copies_are_for_emulators_unless_they_are_not_wanted():
    def volatile(**given):
        made = PubsubTransport("jobs", settings.read("jobs", dsn.parse("pubsub://my-project"), given))
        assert isinstance(made, TakesCopies)
        return made.volatile

    assert volatile(emulator_host="localhost:8085")
    assert not volatile(emulator_host="localhost:8085", copies=False)


async def test_a_message_is_copied_before_it_leaves(transport, copies):
    (outcome,) = await transport.publish([message()])
    assert outcome.accepted
    assert copies.kept == [message()]
    assert not copies.dropped


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "DEADLINE_EXCEEDED"])
async def test_what_the_service_did_not_take_for_sure_leaves_no_copy(transport, copies, service, code):
    """Where it is not known whether it was taken, it is sent again, with a copy of its own."""
    service.next(wire.PUBLISH, *[failure(code, doubtful=code == "DEADLINE_EXCEEDED")] * 20)
    await transport.publish([message()])
    assert copies.dropped == [COPIED]


async def test_what_cannot_be_copied_does_not_leave(transport, copies, service):
    copies.down = True
    with pytest.raises(TransportUnavailable, match="it is down"):
        await transport.publish([message()])
    assert not service.requests(wire.PUBLISH)


async def test_a_copy_is_forgotten_before_its_message_is_acknowledged(transport, copies, service):
    subscription = await transport.subscribe(QUEUE, slots=1)
    service.next(wire.PULL, wire.Pulled(), pulled(b"1"))
    (delivery,) = await subscription.receive(1, 30.0)
    assert list(await subscription.settle([Ack(delivery)])) == [Settled.DONE]
    assert copies.dropped == [COPIED]


async def test_a_message_whose_copy_cannot_be_forgotten_comes_again(transport, copies, service):
    subscription = await transport.subscribe(QUEUE, slots=1)
    service.next(wire.PULL, wire.Pulled(), pulled(b"1"))
    (delivery,) = await subscription.receive(1, 30.0)
    copies.down = True
    assert list(await subscription.settle([Ack(delivery)])) == [Settled.UNKNOWN]
    assert not service.requests(wire.ACKNOWLEDGE)


async def test_before_a_lost_queue_is_made_again_its_messages_are_safe(transport, copies, service):
    """A program that dies in between leaves a queue that is still gone, for the next program to find."""
    service.next(wire.GET_SUBSCRIPTION, failure("NOT_FOUND"))
    await transport.setup([QUEUE])
    assert copies.asked == [("plain", 7.0)]


async def test_a_queue_that_is_there_has_lost_nothing(transport, copies):
    await transport.setup([QUEUE])
    assert not copies.asked


async def test_a_lost_queue_is_not_made_while_its_copies_cannot_be_reached(transport, copies, service):
    copies.down = True
    service.next(wire.GET_SUBSCRIPTION, failure("NOT_FOUND"))
    with pytest.raises(TransportUnavailable, match="it is down"):
        await transport.setup([QUEUE])
    assert len(service.requests(wire.CREATE_SUBSCRIPTION)) == 1  # where messages are put aside
