"""Kafka is a transport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance import bench as benches
from tests.conformance.clock import Clock
from tests.conformance.kafka_space import kafka_space
from tests.conformance.shop import Shop, opened_shop
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging.transport import Transport


@pytest.fixture
async def space(kafka_url: str) -> AsyncIterator[str]:
    """A place of this test's own on the shared broker."""
    async with kafka_space(kafka_url) as url:
        yield url


@pytest.fixture(autouse=True)
def enough_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a fetch takes on a loaded machine."""
    monkeypatch.setattr(benches, "QUIET", 0.3)


@pytest.mark.broker
class TestKafka(TransportSuite):
    @pytest.fixture(autouse=True)
    def place(self, space: str) -> None:
        self.url = space

    def make(self, folder: Path, clock: Clock) -> Transport:
        options = {"partitions": 2, "max_bytes": 300_000}
        return registry.create("kafka", self.url, options, base=folder, clock=clock)


@pytest.mark.broker
class TestKafkaWorker(WorkerSuite):
    @pytest.fixture
    async def shop(self, tmp_path: Path, space: str) -> AsyncIterator[Shop]:
        async with opened_shop(tmp_path, space) as shop:
            yield shop
