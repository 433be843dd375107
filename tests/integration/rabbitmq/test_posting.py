"""Posting: what is written in the middle of a turn is as safe, and in the same order, as what is published."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.rabbitmq.conftest import PATIENCE, QUEUE, Flow, make, message
from tests.proxy.proxy import Proxy
from transports.rabbitmq.publishing import WINDOW
from worker.messaging.sender import FULL, Sender
from worker.messaging.transport import ACCEPTED, Ack, OutcomeKind, QueueSpec

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("short_ladder")]


async def opened(transport):
    """The transport, once it has published: the channel is open."""
    assert list(await transport.publish([message("first")])) == [ACCEPTED]
    return transport


async def test_what_is_posted_is_confirmed_and_comes(transport, flow: Flow) -> None:
    """Outcomes as of a publish, in order."""
    confirms = (await opened(transport)).post([message(1), message(2)])
    assert list(await confirms()) == [ACCEPTED] * 2
    await flow.until(2)


async def test_where_something_is_to_be_done_first_nothing_is_posted(transport, flow: Flow) -> None:
    """No channel yet; a delay, a key of a queue that was not looked at yet, what is refused."""
    assert transport.post([message("early")]) is None
    await opened(transport)
    refused = [
        message("delayed", delay=1.0),
        message("strange", queue="elsewhere", key="a"),
        message("large", body=b"x" * (transport.features.max_bytes + 1)),
    ]
    assert [transport.post([message("beside"), one]) for one in refused] == [None] * 3
    assert list(await transport.publish([message("last")])) == [ACCEPTED]
    await flow.until("last")
    assert set(flow.came) == {"mfirst", "mlast"}


async def test_no_more_is_posted_than_there_is_room_for(transport, proxy: Proxy) -> None:
    """Where the broker confirms nothing, posting ends with the window; what was written has an unknown fate."""
    await opened(transport)
    proxy.freeze()
    half = [message(number) for number in range(WINDOW // 2)]
    posted = [transport.post(half), transport.post(half)]
    assert transport.post([message("more")]) is None
    proxy.cut()
    proxy.clear()
    for confirms in posted:
        outcomes = await confirms()
        assert [outcome.kind for outcome in outcomes] == [OutcomeKind.UNKNOWN] * len(half)
    async with asyncio.timeout(PATIENCE):
        while transport.post([message("again")]) is None:
            assert list(await transport.publish([message("back")])) == [ACCEPTED]


async def test_a_posted_message_whose_queue_is_gone_finds_it_again(transport, rabbitmq_url: str) -> None:
    """As with a publish: what was set up here is set up again, what was not is told."""
    await opened(transport)
    other = make(rabbitmq_url)
    await other.connect()
    confirms = transport.post([message(1, queue="nowhere")])
    assert [outcome.kind for outcome in await confirms()] == [OutcomeKind.UNROUTABLE]
    spec = QueueSpec(name="fleeting", types=("Job",))
    transport._specs[spec.name] = spec  # set up, and deleted since
    confirms = transport.post([message(2, queue=spec.name), message(3)])
    assert list(await confirms()) == [ACCEPTED] * 2
    assert await other.missing([spec]) == []
    await other.close()


async def test_a_queue_that_cannot_be_set_up_again_leaves_the_others_taken(
    transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fate of each is told, though the broker goes away while the queue is being created."""
    await opened(transport)
    spec = QueueSpec(name="fleeting", types=("Job",))
    transport._specs[spec.name] = spec

    async def away(queues) -> None:
        raise transport._connection.unavailable("gone")

    monkeypatch.setattr(transport, "setup", away)
    outcomes = await transport.publish([message(1), message(2, queue=spec.name)])
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.ACCEPTED, OutcomeKind.UNROUTABLE]


async def test_a_queue_that_has_come_back_otherwise_leaves_the_others_taken(
    transport, rabbitmq_url: str
) -> None:
    """Its messages are told why, one by one; those beside them are taken, of a queue that was gone as well too."""
    await opened(transport)
    differs, fleeting = (QueueSpec(name=name, types=("Job",), keyed=True) for name in ("differs", "fleeting"))
    other = make(rabbitmq_url, queue_type="classic")
    await other.connect()
    await other.setup([QueueSpec(name="differs", types=("Job",))])  # without its queue for keys
    await other.close()
    transport._specs.update({spec.name: spec for spec in (differs, fleeting)})
    queues = [QUEUE.name, differs.name, fleeting.name]
    outcomes = await transport.publish(
        [
            message(number, queue=queue, key="k" if queue != QUEUE.name else None)
            for number, queue in enumerate(queues)
        ]
    )
    assert [outcome.kind for outcome in outcomes] == [
        OutcomeKind.ACCEPTED,
        OutcomeKind.UNROUTABLE,
        OutcomeKind.ACCEPTED,
    ]
    assert "exists with other arguments" in outcomes[1].detail


@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "keyed"])
async def test_a_burst_arrives_in_the_order_in_which_it_was_sent(transport, keyed: bool) -> None:
    """Over full batches, the rest of a turn, and what has to go the long way in between."""
    queue = QueueSpec(name="burst", types=("Job",), keyed=keyed)
    await transport.setup([queue])
    sender = Sender(transport)
    total = 5 * FULL + 7

    async def send(number: int) -> None:
        await sender.send(message(number, queue=queue.name, key="a" if keyed else None))

    await send(0)
    await asyncio.gather(*(send(number) for number in range(1, total)))
    subscription = await transport.subscribe(queue, slots=1)
    came: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while len(came) < total:
            for delivery in await subscription.receive(1, 5.0):
                came.append(delivery.id)
                await subscription.settle([Ack(delivery)])
    assert came == [f"m{number}" for number in range(total)]
