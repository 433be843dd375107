"""Google Pub/Sub is a transport, as far as Google's emulator can show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.clock import Clock
from tests.conformance.hurried import HurriedPubsub
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
    disorder = counted = QueueSpec(name="shop-count-stock", types=("CountStock",))  # why: see emulator_limits
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
