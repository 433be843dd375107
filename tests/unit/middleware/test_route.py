"""Route: a message goes to its queue, to the handler's commit, or on to its handlers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from worker import App, Delay, Envelope, Sent, TransportUnavailable
from worker.messaging.parcel import Parcel
from worker.messaging.routing import Destination
from worker.messaging.serializer import CONTENT_TYPE, Serializer
from worker.messaging.stamps import Collect
from worker.messaging.transport import Outgoing
from worker.middleware.route import Route

app = App("shop")


@app.command(key="to", priority=4)
class Go(msgspec.Struct, frozen=True):
    to: str = "a"


@app.command
class Stay(msgspec.Struct, frozen=True):
    pass


@app.event
class Heard(msgspec.Struct, frozen=True):
    pass


@app.event
class Unheard(msgspec.Struct, frozen=True):
    pass


@app.handler
async def go(command: Go) -> None: ...


@app.handler
async def stay(command: Stay) -> None: ...


@app.subscriber
async def heard(event: Heard) -> None: ...


class FakeSender:
    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    async def send(self, outgoing: Outgoing) -> None:
        self.sent.append(outgoing)


ROUTES = {
    "Go": Destination("sqlite", "shop-go"),
    "Stay": Destination(None, "shop-stay"),
    "Heard": Destination("kafka", "shop-heard"),
    "Unheard": Destination("sqlite", "shop-unheard"),
}
SERIALIZER = Serializer(app.registry())


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


async def handled(envelope: Envelope[Any]) -> Envelope[Any]:
    return msgspec.structs.replace(envelope, source="handled")


async def route(sender: FakeSender, message: Envelope[Any], **options: Any) -> Envelope[Any]:
    step = Route(app.registry(), ROUTES, {"sqlite": sender}, SERIALIZER, **options)  # type: ignore[dict-item]
    return await step.for_facts({"type": message.type}, handled)(message)


def envelope(message: Any, *stamps: Any) -> Envelope[Any]:
    return Envelope(message=message, type=type(message).__name__, id="7", key="a", stamps=stamps)


async def test_a_routed_message_is_sent_with_what_the_broker_needs(sender: FakeSender) -> None:
    """Id, key, delay, priority and content type; the rest is in the body."""
    message = envelope(Go(), Delay(3.0))
    outcome = await route(sender, message)
    assert sender.sent == [
        Outgoing(
            queue="shop-go",
            id="7",
            type="Go",
            body=SERIALIZER.encode(message),
            key="a",
            delay=3.0,
            priority=4,
            content_type=CONTENT_TYPE,
        )
    ]
    assert outcome == message.with_(Sent("sqlite", "shop-go"))


async def test_an_inline_message_goes_on_to_its_handlers(sender: FakeSender) -> None:
    """Nothing is sent."""
    outcome = await route(sender, envelope(Stay()))
    assert (outcome.source, sender.sent) == ("handled", [])


async def test_what_a_handler_sends_is_kept_for_its_commit(sender: FakeSender) -> None:
    """Queued messages as parcels, inline ones as envelopes; neither leaves now."""
    kept: list[Any] = []
    for message in (Go(), Stay()):
        await route(sender, envelope(message, Collect(kept)))
    assert [type(item) for item in kept] == [Parcel, Envelope]
    assert (kept[0].transport, kept[0].outgoing.queue, kept[1].stamps) == ("sqlite", "shop-go", ())
    assert sender.sent == []


async def test_an_event_that_nobody_hears_is_not_sent(sender: FakeSender) -> None:
    """Its queue would only grow; it counts as done."""
    message = envelope(Unheard())
    assert await route(sender, message) == message
    assert sender.sent == []


async def test_ignored_events_are_not_sent(sender: FakeSender) -> None:
    """With subscribers or without."""
    message = envelope(Heard())
    assert await route(sender, message, ignore_events=True) == message


async def test_a_transport_that_is_not_open_here_is_named(sender: FakeSender) -> None:
    """The message was not sent, and the caller hears why."""
    with pytest.raises(TransportUnavailable, match="'kafka' is not open in this process"):
        await route(sender, envelope(Heard()))


async def test_a_key_of_many_bytes_goes_by_its_hash_and_stands_whole_in_the_message(
    sender: FakeSender,
) -> None:
    """To every broker and into the outbox alike, whose indexes take keys of a few bytes only."""
    long = "k" * 5_000
    collect = Collect([])
    for stamps in ((), (collect,)):
        message = Envelope(
            message=Go(long), type="Go", id="1", source="shop", time="", key=long, stamps=stamps
        )
        await route(sender, message)
    [sent], [kept] = sender.sent, collect.into
    assert sent.key == kept.outgoing.key
    assert len(sent.key or "") == 64
    assert msgspec.json.decode(sent.body)["subject"] == long
