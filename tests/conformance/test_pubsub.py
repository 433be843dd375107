"""Google Pub/Sub is a transport, as far as Google's emulator can show it."""

from __future__ import annotations

from pathlib import Path

import grpc.aio
import pytest

from tests.brokers.pubsub import Pubsub
from tests.conformance.clock import Clock
from tests.conformance.hurried import HurriedPubsub
from tests.conformance.raw_pubsub import Raw, body
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import dsn
from transports.pubsub import settings, subscription
from worker.messaging.transport import QueueSpec, Transport

LONG, SHORT = 10, 2
"""Seconds: Pub/Sub's shortest lease, and that of the scenarios which lose one; the others' must outlast a loaded machine."""
LOSING = {
    "test_total_queue_arithmetic_under_random_settlement": 4,
    "test_c33_an_extended_message_is_nobody_elses": 4,
}
"""Leases of scenarios that lose some, and in which much goes on: an answer must never take as long."""
KEEPING = ("test_c05", "test_c12")


@pytest.mark.broker
class TestPubsub(TransportSuite):
    pace = 1.0
    total = 200
    disorder = QueueSpec(name="shop-count-stock", types=("CountStock",))  # why: see the last tests below
    glance = 0.5  # a pull that brings something takes the emulator up to 0.1 s, on a loaded machine more

    @pytest.fixture(autouse=True)
    def leased(self, request: pytest.FixtureRequest) -> None:
        """Leases as long as the scenario wants them."""
        name = request.node.originalname
        self.lease = LONG if name.startswith(KEEPING) else LOSING.get(name, SHORT)
        self.ages = self.lease + 0.3

    @pytest.fixture
    def broker_url(self, pubsub_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setattr(subscription, "_GLANCE", 0.5)
        return pubsub_url

    def make(self, folder: Path, clock: Clock) -> Transport:
        read = settings.read("pubsub", dsn.parse(self.url), {"lease": LONG, "max_bytes": 300_000})
        return HurriedPubsub("pubsub", read, self.lease)


@pytest.mark.broker
class TestPubsubWorker(WorkerSuite):
    @pytest.fixture
    def broker_url(self, pubsub_url: str) -> str:
        return pubsub_url


@pytest.mark.broker
@pytest.mark.parametrize("key", ["", "a"])
async def test_the_emulator_sends_acknowledged_messages_again_where_order_is_kept(
    pubsub_url: str, pubsub: Pubsub, key: str
) -> None:
    """Why the arithmetic has a queue without order here; when this fails, the emulator is mended and it may have any.

    After a give-back with a delay it sends all that was published later again, the acknowledged too, and messages without
    a key as well. What is given back at once comes after what was published later (last lines). So a queue with
    many give-backs hardly runs empty. The transport's part in order is tested in tests/unit/transports/pubsub.
    """
    async with grpc.aio.insecure_channel(pubsub.host) as channel:
        emulator = Raw(channel, f"projects/{pubsub_url.removeprefix('pubsub://')}")
        await emulator.publish(6, key)
        first = await emulator.pull(6)
        await emulator.acknowledge(first[3:])
        await emulator.postpone(first[:3], 1)
        again = await emulator.pull(6)
        assert [body(each) for each in again] == [b"%d" % n for n in range(6)]
        await emulator.acknowledge(again)

        await emulator.publish(10, key)
        first = await emulator.pull(6)
        await emulator.postpone(first, 0)
        assert [body(each) for each in await emulator.pull(10)] != [b"%d" % n for n in range(10)]


@pytest.mark.broker
async def test_the_emulator_says_yes_to_late_acknowledgements_and_does_nothing(
    pubsub_url: str, pubsub: Pubsub
) -> None:
    """So does the service, without exactly-once: the transport believes its own clock."""
    async with grpc.aio.insecure_channel(pubsub.host) as channel:
        emulator = Raw(channel, f"projects/{pubsub_url.removeprefix('pubsub://')}")
        await emulator.publish(20)
        first = await emulator.pull(20)
        await emulator.postpone(first, 0)
        second = await emulator.pull(20)
        await emulator.acknowledge(first)
        await emulator.postpone(second, 0)
        assert len(await emulator.pull(20)) == 20
