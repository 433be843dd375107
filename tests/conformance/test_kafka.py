"""Kafka is a transport, with a group for each queue and with one that all share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import bench as benches
from tests.conformance.clock import Clock
from tests.conformance.kafka_space import kafka_space
from tests.conformance.shop import Shop, opened_shop
from tests.conformance.stepping import Stepping
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
class TestKafka(TransportSuite, Stepping):
    options: Mapping[str, Any] = {}

    @pytest.fixture(autouse=True)
    def place(self, space: str) -> None:
        self.url = space

    def make(self, folder: Path, clock: Clock) -> Transport:
        options = {"partitions": 2, "max_bytes": 300_000, **self.options}
        return registry.create("kafka", self.url, options, base=folder, clock=clock)


class TestKafkaShared(TestKafka):
    # a further queue joins when what the others have in hand is settled, or after this time
    options = {"group": "all", "rebalance_timeout": 4}


@pytest.mark.broker
class TestKafkaWorker(WorkerSuite):
    @pytest.fixture
    async def shop(self, tmp_path: Path, space: str) -> AsyncIterator[Shop]:
        async with opened_shop(tmp_path, space, options=self.options) as shop:
            yield shop


class TestKafkaSharedWorker(TestKafkaWorker):
    options = {"group": "all"}
