"""The suite's own score on Google's emulator: which bugs it catches there, and what the emulator cannot show."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from tests.brokers.pubsub import Pubsub
from tests.conformance import planted
from tests.conformance.catching import CATCHES
from tests.conformance.emulator_limits import LIMITS, NOWHERE
from tests.conformance.raw_pubsub import Raw
from tests.conformance.score import CAUGHT_BY, Score
from tests.proxy.proxy import Proxy
from transports import dsn
from transports.pubsub import link, pulling, settings, wire
from transports.pubsub.topology import ATTEMPTS
from transports.pubsub.transport import PubsubTransport
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Delivery, Outgoing, QueueSpec, Release, Settled

pytestmark = [pytest.mark.broker, pytest.mark.conformance]

ROOT = Path(__file__).resolve().parents[2]
QUEUE = QueueSpec(name="orders", types=("T",))
ELSEWHERE = {
    "test_a_lost_lease_brings_the_message_back_and_counts",
    "test_a_give_back_is_visible_to_others_at_once_and_uncharged",
    "test_a_give_back_uncounts_itself_only",
    "test_f16_one_consumer_with_an_old_and_a_new_delivery_of_a_message",
    "test_again_swaps_the_message_in_one_step",
    "test_c10_a_delayed_message_is_never_early",
    "test_c20_order_is_kept_by_key",
    "test_c33_extending_what_is_lost_is_refused",
    "test_an_acked_message_never_comes_back",
}
"""Scenarios that wait for leases of ten seconds, need what Pub/Sub has not, or what the emulator gets wrong."""


class TestPubsubScore(Score):
    kind = "pubsub"
    patience = 3.0
    worker_patience = 3.0
    caught_by = [(bug, scenario) for bug, scenario in CAUGHT_BY if scenario not in ELSEWHERE]
    through_a_worker = [(planted.TakesNothing, "test_c07_a_failed_attempt_is_tried_again_and_counted")]

    @pytest.fixture
    def broker_url(self, pubsub_url: str) -> str:
        return pubsub_url


# --- a line that stays open and silent ------------------------------------------------------------------------------


@pytest.fixture
def line(pubsub: Pubsub) -> Iterator[Proxy]:
    """What the consumer connects through."""
    with Proxy(int(pubsub.host.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture
async def ends(pubsub: Pubsub, line: Proxy) -> AsyncIterator[tuple[PubsubTransport, PubsubTransport]]:
    """A transport that publishes straight, and one that consumes over the line."""
    url = dsn.parse(f"pubsub://t{uuid.uuid4().hex[:12]}")
    made = [
        PubsubTransport("end", settings.read("end", url, {"emulator_host": host, "lease": 10}))
        for host in (pubsub.host, f"127.0.0.1:{line.port}")
    ]
    for each in made:
        await each.connect()
        await each.setup([QUEUE])
    yield made[0], made[1]
    for each in made:
        await each.close()


async def flows_again(line: Proxy, publisher: PubsubTransport, consumer: PubsubTransport) -> None:
    """Swallow for good what the consumer's connections carry, and wait until a message comes over another.

    The emulator also answers the pull of a client that is gone, so what is published first may be hidden for its lease.
    """
    subscription = await consumer.subscribe(QUEUE, slots=10)
    assert not await subscription.receive(10, 0.2)
    line.strand()
    async with asyncio.timeout(6.0):
        for number in range(1_000):
            await publisher.publish([Outgoing(queue=QUEUE.name, id=f"m{number}", type="T", body=b"1")])
            try:
                if await subscription.receive(10, 0.2):
                    return
            except TransportUnavailable:
                continue


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog asks soon."""
    monkeypatch.setattr(pulling, "QUIET", 0.5)
    monkeypatch.setattr(pulling, "_PROBE", 0.5)
    monkeypatch.setattr(link, "_RENEWAL", 0.0)


async def test_a_line_that_stays_open_and_silent_is_replaced(line: Proxy, ends: Any, impatient: None) -> None:
    await flows_again(line, *ends)


async def test_a_line_that_stays_open_and_silent_is_caught_where_nobody_watches_it(
    line: Proxy, ends: Any, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug: a pull counts as alive as long as it is open, as with streams."""

    async def believed(_puller: Any, call: asyncio.Future[object]) -> float:
        await asyncio.wait({call})
        return 0.0

    monkeypatch.setattr(pulling.Puller, "_watched", believed)
    with pytest.raises(CATCHES):
        await flows_again(line, *ends)


async def test_with_exactly_once_a_late_acknowledgement_is_lost_and_the_others_count(pubsub_url: str) -> None:
    transport = PubsubTransport("once", settings.read("once", dsn.parse(pubsub_url), {"exactly_once": True}))
    await transport.connect()
    try:
        await transport.setup([QUEUE])
        await transport.publish([Outgoing(queue=QUEUE.name, id=id, type="T", body=b"1") for id in "ab"])
        subscription = await transport.subscribe(QUEUE, slots=10)
        late, *others = await taken(subscription, 2)
        name = f"{pubsub_url.removeprefix('pubsub://')}/subscriptions/{QUEUE.name}"
        request = wire.ModifyDeadline(subscription=f"projects/{name}", ack_ids=[late.receipt.ack_id])
        await transport.connection.call(wire.MODIFY_DEADLINE, request)
        again = await taken(subscription, 1)
        assert [one.id for one in again] == [late.id]
        answers = await subscription.settle([Ack(one) for one in (late, *others, *again)])
        assert list(answers) == [Settled.LOST, Settled.DONE, Settled.DONE]
    finally:
        await transport.close()


async def test_what_is_given_back_more_often_than_pub_sub_counts_hinders_nothing_of_its_queue(
    pubsub_url: str,
) -> None:
    """Where order is kept the emulator cannot put aside; the queue flows all the same."""
    transport = PubsubTransport("often", settings.read("often", dsn.parse(pubsub_url), {}))
    await transport.connect()
    try:
        keyed = QueueSpec(name="orders", types=("T",), keyed=True)
        await transport.setup([keyed])
        await transport.publish([Outgoing(queue="orders", id="a", type="T", body=b"1", key="a")])
        subscription = await transport.subscribe(keyed, slots=10)
        for _ in range(ATTEMPTS + 5):
            (one,) = await taken(subscription, 1)
            await subscription.settle([Release(one)])
        await transport.publish([Outgoing(queue="orders", id="b", type="T", body=b"1", key="b")])
        assert {one.id for one in await taken(subscription, 2)} == {"a", "b"}
    finally:
        await transport.close()


async def taken(subscription: Any, count: int) -> list[Delivery]:
    """Receive so many."""
    got: list[Delivery] = []
    async with asyncio.timeout(30):
        while len(got) < count:
            got += await subscription.receive(count - len(got), 1.0)
    return got


# --- what it cannot show --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", LIMITS)
async def test_the_emulator_cannot_show(what: str, pubsub_url: str, pubsub: Pubsub) -> None:
    """Asserted without our transport: when this fails, the emulator is mended, and the suite may ask more of it."""
    async with grpc.aio.insecure_channel(pubsub.host) as channel:
        await LIMITS[what].shown(Raw(channel, f"projects/{pubsub_url.removeprefix('pubsub://')}"))


@pytest.mark.parametrize("what", [*LIMITS, *NOWHERE])
def test_what_the_emulator_cannot_show_is_shown_otherwise_or_said_to_be_shown_nowhere(what: str) -> None:
    page = (ROOT / "docs/how-to/pubsub.md").read_text()
    assert f"| {what} |" in page
    for test in LIMITS[what].instead if what in LIMITS else NOWHERE[what]:
        file, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / file).read_text() if name else (ROOT / file).exists()
