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
from worker.messaging.transport import Transport

CANNOT_SHOW = {
    "test_total_queue_arithmetic_under_random_settlement": "it takes acknowledgements that come too late, and hands a "
    "key's messages out in another order after a give-back; see tests/unit/transports/pubsub/test_subscription.py",
}
"""Scenarios, what the emulator does otherwise than the service, and where the transport's part in it is tested."""


def made(url: str) -> HurriedPubsub:
    return HurriedPubsub(
        "pubsub", settings.read("pubsub", dsn.parse(url), {"lease": 10, "max_bytes": 300_000})
    )


@pytest.mark.broker
class TestPubsub(TransportSuite):
    pace = 1.0
    ages = 2.3

    @pytest.fixture(autouse=True)
    def shown_elsewhere(self, request: pytest.FixtureRequest) -> None:
        """Say what Google's emulator cannot show, each time."""
        if reason := CANNOT_SHOW.get(request.node.originalname):
            pytest.skip(f"Google's emulator cannot show it: {reason}")

    @pytest.fixture
    def broker_url(self, pubsub_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setattr(subscription, "_GLANCE", 0.5)
        return pubsub_url

    def make(self, folder: Path, clock: Clock) -> Transport:
        return made(self.url)


@pytest.mark.broker
class TestPubsubWorker(WorkerSuite):
    @pytest.fixture
    def broker_url(self, pubsub_url: str) -> str:
        return pubsub_url
