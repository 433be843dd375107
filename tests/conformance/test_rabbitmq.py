"""The RabbitMQ transport is a transport, on quorum and on classic queues."""

from pathlib import Path

import pytest

from tests.conformance.clock import Clock
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging.transport import Transport


class OnRabbitmq:
    pace = 0.1
    options = {"queue_type": "quorum"}

    @pytest.fixture
    def broker_url(self, rabbitmq_url: str) -> str:
        return rabbitmq_url


@pytest.mark.broker
class TestRabbitmqQuorum(OnRabbitmq, TransportSuite):
    def make(self, folder: Path, clock: Clock) -> Transport:
        return registry.create("rabbitmq", self.url, self.options | {"max_bytes": 300_000}, base=folder)


class TestRabbitmqClassic(TestRabbitmqQuorum):
    options = {"queue_type": "classic"}


@pytest.mark.broker
class TestRabbitmqQuorumWorker(OnRabbitmq, WorkerSuite):
    pass


class TestRabbitmqClassicWorker(TestRabbitmqQuorumWorker):
    options = {"queue_type": "classic"}
