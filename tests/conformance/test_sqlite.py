"""The SQLite transport is a transport."""

from pathlib import Path

from tests.conformance.clock import Clock
from tests.conformance.identity import Identifying
from tests.conformance.stepping import Stepping
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging.transport import Transport


class TestSqlite(TransportSuite, Identifying, Stepping):
    def make(self, folder: Path, clock: Clock) -> Transport:
        return registry.create(
            "sqlite", "sqlite:///var/queue.db", {"max_bytes": 300_000}, base=folder, clock=clock
        )


class TestSqliteWorker(WorkerSuite):
    url = "sqlite:///queue.db"
