"""The suite that defines a transport: subclass it, say how a connection is made, and run it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.bench import Bench
from tests.conformance.clock import Clock
from tests.conformance.delays import Delaying
from tests.conformance.delivery import Delivering
from tests.conformance.leases import Leasing
from tests.conformance.load import Loading
from tests.conformance.ordering import Ordering
from tests.conformance.paced import paced
from tests.conformance.receiving import Receiving
from tests.conformance.settlement import Settling
from worker.messaging.transport import Transport


@pytest.mark.conformance
class TransportSuite(Delivering, Settling, Receiving, Delaying, Leasing, Ordering, Loading):
    """All scenarios; each skips itself, and says so, where ``Features`` declares that it cannot be."""

    pace: float | None = None
    """Where the broker has a clock of its own: how long a second of the scenarios lasts, in seconds."""
    ages: float = 0.5
    """What passes there for longer than any lease, in seconds."""
    url = ""

    @pytest.fixture
    def broker_url(self) -> str:
        """Address of the broker under test, empty of messages; override it where there is one."""
        return self.url

    def make(self, folder: Path, clock: Clock) -> Transport:
        """Make a connection to the broker under test; called again for every further connection to it."""
        raise NotImplementedError

    @pytest.fixture
    async def bench(self, tmp_path: Path, broker_url: str) -> AsyncIterator[Bench]:
        self.url = broker_url
        clock = Clock()
        if self.pace is None:
            bench = Bench(lambda: self.make(tmp_path, clock), clock)
        else:
            pace = self.pace
            bench = Bench(lambda: paced(self.make(tmp_path, clock), pace), None, pace, self.ages)
        await bench.open()
        yield bench
        await bench.close()
