"""The PostgreSQL transport is a transport."""

from pathlib import Path

import pytest

from tests.conformance.clock import Clock
from tests.conformance.identity import Identifying
from tests.conformance.score import Score
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging.transport import Transport


@pytest.mark.broker
class TestPostgres(TransportSuite, Identifying):
    @pytest.fixture
    def broker_url(self, postgres_url: str) -> str:
        return postgres_url

    def make(self, folder: Path, clock: Clock) -> Transport:
        return registry.create("postgres", self.url, {"max_bytes": 300_000}, base=folder, clock=clock)


@pytest.mark.broker
class TestPostgresWorker(WorkerSuite):
    @pytest.fixture
    def broker_url(self, postgres_url: str) -> str:
        return postgres_url


@pytest.mark.broker
@pytest.mark.conformance
class TestPostgresScore(Score):
    kind = "postgres"

    @pytest.fixture
    def broker_url(self, postgres_url: str) -> str:
        return postgres_url
