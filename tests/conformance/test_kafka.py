"""Kafka is a transport."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.conformance import bench as benches
from tests.conformance.clock import Clock
from tests.conformance.shop import Shop, opened_shop
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging.transport import Transport


@pytest.fixture
async def kafka_space(kafka_url: str) -> AsyncIterator[str]:
    """A prefix of one test's own on the shared broker; its topics are removed afterwards."""
    prefix = f"t{uuid.uuid4().hex[:12]}"
    yield f"{kafka_url}/{prefix}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url.removeprefix("kafka://"))
    await admin.start()
    try:
        made = [topic for topic in await admin.list_topics() if topic.startswith(f"{prefix}.")]
        if made:
            await admin.delete_topics(made)
    finally:
        await admin.close()


@pytest.fixture(autouse=True)
def enough_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a fetch takes on a loaded machine."""
    monkeypatch.setattr(benches, "QUIET", 0.3)


@pytest.mark.broker
class TestKafka(TransportSuite):
    @pytest.fixture(autouse=True)
    def place(self, kafka_space: str) -> None:
        self.url = kafka_space

    def make(self, folder: Path, clock: Clock) -> Transport:
        options = {"partitions": 2, "max_bytes": 300_000}
        return registry.create("kafka", self.url, options, base=folder, clock=clock)


@pytest.mark.broker
class TestKafkaWorker(WorkerSuite):
    @pytest.fixture
    async def shop(self, tmp_path: Path, kafka_space: str) -> AsyncIterator[Shop]:
        async with opened_shop(tmp_path, kafka_space) as shop:
            yield shop
