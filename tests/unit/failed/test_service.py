"""Putting back, editing and removing failed messages."""

from __future__ import annotations

import base64

import msgspec
import pytest

from tests.unit.failed.conftest import AT, PlaceOrder
from worker.errors import (
    DatabaseUnavailable,
    InvalidMessage,
    NotFound,
    PublishFailed,
    TransportUnavailable,
    UsageError,
)
from worker.failed.service import FailedService
from worker.messaging.failure import Filter
from worker.messaging.routing import plan
from worker.messaging.stamps import Handled, Replay
from worker.messaging.transport import Outcome, OutcomeKind

ALL = Filter()


async def test_a_retry_goes_back_to_where_it_came_from(service, store, broker, serializer, failure, recorder):
    """Same id, transport, queue and key; attempt 1; done handlers and the ticket go along; out of sight after."""
    await store.add([failure(stamps=(Handled(("shop.other",)),), priority=4)])
    assert await service.retry("m1") == 1
    [(transport, outgoing)] = broker.taken
    assert (transport, outgoing.queue, outgoing.id, outgoing.key) == (
        "sqlite",
        "shop-place-order",
        "m1",
        "order-m1",
    )
    assert (outgoing.type, outgoing.priority) == ("PlaceOrder", 4)
    envelope = serializer.decode(outgoing.body)
    assert (envelope.id, envelope.attempt, envelope.message) == ("m1", 1, PlaceOrder("order-m1"))
    assert envelope.get(Handled).handlers == ("shop.other",)
    assert not await store.stale("m1", envelope.get(Replay).ticket)
    assert await store.count(ALL) == 0
    [change] = recorder.changes
    assert (change.id, change.state, change.accepted_at, change.at) == ("m1", "accepted", None, AT)


async def test_a_broker_that_is_down_changes_nothing(service, store, broker, failure, recorder):
    """What was not confirmed stays in the store and may be retried."""
    await store.add([failure()])
    broker.down = True
    with pytest.raises(TransportUnavailable):
        await service.retry("m1")
    assert await store.count(ALL) == 1
    assert recorder.changes == []
    broker.down = False
    assert await service.retry(["m1"]) == 1


async def test_a_crash_between_publish_and_hide_makes_no_twin(
    service, store, broker, serializer, failure, monkeypatch
):
    """Retried again after a crash, a message carries the same ticket; one copy is done, the other is stale."""
    await store.add([failure()])

    async def crash(tickets):
        raise DatabaseUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(store, "hide", crash)
        with pytest.raises(DatabaseUnavailable):
            await service.retry("m1")
    assert await service.retry("m1") == 1
    first, second = (serializer.decode(outgoing.body).get(Replay).ticket for _, outgoing in broker.taken)
    assert first == second
    assert not await store.stale("m1", first)
    await store.resolve("m1", first)
    assert await store.stale("m1", second)
    assert await store.count(ALL) == 0


@pytest.mark.parametrize(("kind", "unknown"), [(OutcomeKind.UNROUTABLE, False), (OutcomeKind.UNKNOWN, True)])
async def test_what_a_broker_does_not_take_stays(service, store, broker, failure, kind, unknown):
    """The others are put back; the error names those that were not, and whether that is certain."""
    await store.add([failure("m1"), failure("m2"), failure("m3")])
    broker.outcomes["m2"] = Outcome(kind, "no queue")
    with pytest.raises(PublishFailed, match=r"2 put back, 1 not: m2 ") as caught:
        await service.retry_many(ALL)
    assert caught.value.unknown is unknown
    assert await store.ids(ALL) == ["m2"]


async def test_many_go_back_oldest_first(service, store, broker, failure):
    """A retry by filter takes everything that it chooses, in the order of the failures, in several goes."""
    await store.add([failure(f"m{number:03}", at=AT + number) for number in range(250)])
    await store.add([failure("other", transport="kafka", at=AT)])
    assert await service.retry_many(Filter(transport="sqlite")) == 250
    assert [outgoing.id for _, outgoing in broker.taken] == [f"m{number:03}" for number in range(250)]
    assert await store.ids(ALL) == ["other"]


async def test_of_several_ids_the_known_ones_are_put_back(service, store, broker, failure):
    """Unknown ids are named after the known ones are done."""
    await store.add([failure("m1")])
    with pytest.raises(NotFound, match=r"'gone'; 1 put back"):
        await service.retry(["gone", "m1", "m1"])
    assert len(broker.taken) == 1


async def test_what_cannot_be_decoded_goes_back_unchanged(service, store, broker, failure, recorder):
    """Its bytes are published as they came, and its row is removed after the broker's confirmation."""
    await store.add([failure("m1", body=b"\xff", decoded=False, type=None)])
    broker.down = True
    with pytest.raises(TransportUnavailable):
        await service.retry("m1")
    assert await store.count(ALL) == 1
    broker.down = False
    assert await service.retry("m1") == 1
    assert broker.taken[0][1].body == b"\xff"
    assert await store.ids(ALL) == []
    assert recorder.changes == []


async def test_an_edit_replaces_the_data_only(service, store, broker, serializer, failure):
    """Id and stamps stay, the key follows the data, and the message waits for its retry."""
    await store.add([failure(stamps=(Handled(("shop.other",)),))])
    await service.edit("m1", {"order_id": "new", "amount": 5})
    assert broker.taken == []
    envelope = serializer.decode((await store.get("m1")).failure.body)
    assert (envelope.id, envelope.message, envelope.key) == ("m1", PlaceOrder("new", 5), "new")
    assert envelope.get(Handled).handlers == ("shop.other",)


async def test_an_edit_may_put_back_at_once(service, store, broker, failure):
    """Edited and retried in one call."""
    await store.add([failure()])
    await service.edit("m1", {"order_id": "new"}, retry=True)
    assert broker.taken[0][1].key == "new"
    assert await store.count(ALL) == 0


async def test_data_that_does_not_fit_is_refused_whole(service, store, failure):
    """Every fault is named and the row stays as it was."""
    await store.add([failure()])
    before = await store.get("m1")
    with pytest.raises(InvalidMessage) as caught:
        await service.edit("m1", {"amount": "many"})
    assert sorted(fault.pointer for fault in caught.value.faults) == ["/amount", "/order_id"]
    assert await store.get("m1") == before


@pytest.mark.parametrize(
    "body",
    [
        b'{"specversion":"1.0","id":"m1","type":"PlaceOrder","source":"erp","data":{"amount":"x"}}',
        b'{"amount":"x"}',
        b"\xff",
    ],
)
async def test_data_can_be_mended(service, store, serializer, failure, body):
    """A message of a known type whose data did not fit becomes one that does, under the same id."""
    await store.add([failure("m1", body=body, decoded=False)])
    await service.edit("m1", {"order_id": "new"})
    row = await store.get("m1")
    envelope = serializer.decode(row.failure.body)
    assert (envelope.id, envelope.type, envelope.message) == ("m1", "PlaceOrder", PlaceOrder("new"))
    assert row.failure.decoded
    if b"erp" in body:
        assert envelope.source == "erp"


@pytest.mark.parametrize("name", [None, "Gone"])
async def test_what_has_no_known_type_cannot_be_edited(service, store, failure, name):
    """Nothing says what would fit."""
    await store.add([failure(body=b"x", decoded=False, type=name)])
    with pytest.raises(UsageError, match="cannot be edited"):
        await service.edit("m1", {})


async def test_removal(service, store, failure):
    """Removing says how many, names unknown ids after the known are gone, and takes filters."""
    await store.add([failure("m1"), failure("m2"), failure("m3", queue="q2")])
    with pytest.raises(NotFound, match=r"'gone'; 1 removed"):
        await service.remove(["m1", "gone"])
    assert await service.remove_many(Filter(queue="q2")) == 1
    assert await service.remove("m2") == 1
    with pytest.raises(NotFound):
        await service.remove("m2")


async def test_untracked_types_keep_no_status(store, broker, registry, serializer, failure):
    """Without a recorder nothing is noted, and putting back works all the same."""
    from worker.failed.service import FailedService

    await store.add([failure()])
    assert (
        await FailedService(store, broker.publish, registry, serializer, clock=lambda: 1.0).retry("m1") == 1
    )
    assert msgspec.json.decode(broker.taken[0][1].body)["attempt"] == 1


NEWER = (
    b'{"specversion":"1.0","newextension":"n","id":"m1","type":"PlaceOrder","subject":"7","attempt":3,"dataversion":2,'
    b'"data":{ "order_id" : "7", "new":{"n":1.0,"big":123456789012345678901234567890} }}'
)
"""As a newer version writes it."""


def raw(body: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(body, type=dict[str, msgspec.Raw])


async def test_a_replay_keeps_what_nobody_here_knows(service, store, broker, failure):
    """Unknown attributes, and the data byte for byte; the attempt counts anew, and there is a ticket."""
    await store.add([failure(body=NEWER)])
    await service.retry("m1")
    sent = raw(broker.taken[0][1].body)
    assert list(msgspec.json.decode(msgspec.json.decode(sent.pop("stamps")))) == ["replay"]
    assert sent == {**raw(NEWER), "attempt": msgspec.Raw(b"1")}


async def test_an_edit_keeps_the_attributes_that_nobody_here_knows(service, store, failure):
    """Only the data is another, and the key that follows from it."""
    await store.add([failure(body=NEWER)])
    await service.edit("m1", {"order_id": "8", "amount": 2})
    kept = msgspec.json.decode((await store.get("m1")).failure.body)
    assert kept == {
        **msgspec.json.decode(NEWER), "subject": "8", "data": {"order_id": "8", "amount": 2},
        "datacontenttype": "application/json",
    }  # fmt: skip


async def test_mending_keeps_the_attributes_that_nobody_here_knows(service, store, failure):
    """Also where the data that came did not fit."""
    body = NEWER.replace(b'"order_id"', b'"order_no"')
    await store.add([failure(body=body, decoded=False)])
    await service.edit("m1", {"order_id": "8"})
    kept = msgspec.json.decode((await store.get("m1")).failure.body)
    assert (kept["newextension"], kept["dataversion"], kept["data"]) == (
        "n",
        2,
        {"order_id": "8", "amount": 1},
    )


BINARY = {"ce_id": "m1", "ce_type": "Newer", "ce_newextension": "n", "content-type": "application/json"}
EVENT = {
    "specversion": "1.0", "id": "m1", "type": "Newer", "newextension": "n", "datacontenttype": "application/json",
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "member"),
    [(b'{ "order_id": 1.0 }', {"data": {"order_id": 1.0}}), (b"\xff", {"data_base64": "/w=="})],
)
async def test_what_came_in_binary_mode_goes_back_with_its_attributes(
    service, store, broker, failure, data, member
):
    """A message of a type that only newer workers know: shown as the event it is, its bytes as received."""
    await store.add([failure(body=data, headers=BINARY, decoded=False, type="Newer")])
    shown = await service.show("m1")
    assert shown.envelope == EVENT | member
    assert base64.b64decode(shown.body_base64) == data
    await service.retry("m1")
    sent = broker.taken[0][1]
    assert msgspec.json.decode(sent.body) == EVENT | member
    if member.keys() == {"data"}:
        assert raw(sent.body)["data"] == msgspec.Raw(data)


async def test_data_that_came_in_binary_mode_can_be_mended(service, store, failure):
    """The attributes stay."""
    headers = {**BINARY, "ce_type": "PlaceOrder"}
    await store.add([failure(body=b'{"amount":"x"}', headers=headers, decoded=False)])
    await service.edit("m1", {"order_id": "8"})
    kept = msgspec.json.decode((await store.get("m1")).failure.body)
    assert kept == {**EVENT, "type": "PlaceOrder", "subject": "8", "data": {"order_id": "8", "amount": 1}}


async def test_headers_that_no_event_can_be_made_of_change_nothing(service, store, broker, failure):
    """The bytes go back as they came."""
    await store.add([failure(body=b"x", headers={**BINARY, "ce_attempt": "many"}, decoded=False, type=None)])
    assert (await service.show("m1")).envelope is None
    await service.retry("m1")
    assert broker.taken[0][1].body == b"x"


def routes(registry, **rules):
    return plan(registry, {"*": "sqlite", **rules}, ["sqlite", "rabbitmq"])


@pytest.fixture
def moved(store, broker, registry, serializer):
    """The service of a release in which types have other places than when messages failed."""

    def make(**rules) -> FailedService:
        return FailedService(
            store, broker.publish, registry, serializer, routes=routes(registry, **rules), clock=lambda: AT
        )

    return make


@pytest.mark.parametrize("type_name", ["PlaceOrder", "PutOrder"])
async def test_what_failed_in_a_queue_that_nobody_takes_from_goes_to_its_types_queue(
    moved, store, broker, failure, type_name
):
    """The queue was renamed, or its transport taken out of the settings: where it was it would wait for ever, out of sight."""
    await store.add([failure("m1", queue="old"), failure("m2", transport="gone")])
    await store.add([failure("m3", type=type_name, body=b"{}", decoded=False, queue="old")])
    assert await moved().retry_many(Filter()) == 3
    assert {(transport, item.queue) for transport, item in broker.taken} == {("sqlite", "shop-place-order")}
    assert {item.id for _, item in broker.taken} == {"m1", "m2", "m3"}
    assert await store.count(Filter()) == 0


async def test_what_failed_in_a_queue_that_is_in_use_goes_back_there(moved, store, broker, failure):
    """Also where other types go there today; and for a message of a type that is not known, as no better queue is known."""
    await store.add([failure("m1", transport="rabbitmq"), failure("m2", type="Gone", queue="old")])
    assert await moved(PlaceOrder="rabbitmq").retry_many(Filter()) == 2
    assert sorted((transport, item.queue) for transport, item in broker.taken) == [
        ("rabbitmq", "shop-place-order"),
        ("sqlite", "old"),
    ]


async def test_what_has_no_queue_today_stays(moved, store, broker, failure):
    """Its type is handled at once now: no worker would take it, and the error says so."""
    await store.add([failure("m1", queue="old")])
    with pytest.raises(PublishFailed, match="routed inline today"):
        await moved(PlaceOrder="inline").retry("m1")
    assert broker.taken == []
    assert await store.count(Filter()) == 1
