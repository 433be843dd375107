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
from tests.conformance.receiving import Receiving
from tests.conformance.settlement import Settling
from worker.messaging.transport import Transport


@pytest.mark.conformance
class TransportSuite(Delivering, Settling, Receiving, Delaying, Leasing, Ordering, Loading):
    """All scenarios; each skips itself, and says so, where ``Features`` declares that it cannot be."""

    def make(self, folder: Path, clock: Clock) -> Transport:
        """Make a connection to the broker under test; called again for every further connection to it."""
        raise NotImplementedError

    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[Bench]:
        clock = Clock()
        bench = Bench(lambda: self.make(tmp_path, clock), clock)
        await bench.open()
        yield bench
        await bench.close()
