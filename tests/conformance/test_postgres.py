"""The PostgreSQL transport is a transport."""

from pathlib import Path

import pytest

from tests.conformance.clock import Clock
from tests.conformance.identity import Identifying
from tests.conformance.score import Score
from tests.conformance.stepping import Stepping
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging import steady
from worker.messaging.transport import Transport


@pytest.mark.broker
class TestPostgres(TransportSuite, Identifying, Stepping):
    @pytest.fixture(autouse=True)
    def compared_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The time is compared at each claim: no test waits for the next comparison."""
        monkeypatch.setattr(steady, "EVERY", 0.0)

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
