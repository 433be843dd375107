"""The SQS transport is a transport, on standard and on FIFO queues."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.clock import Clock
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging.transport import Transport

SHORT = 2
"""Seconds: the lease of the scenarios that lose one; the others' must outlast a loaded machine."""

LOSING = (
    "test_a_lost_lease",
    "test_f16",
    "test_c33",
    "test_c30_what_was_accepted",
    "test_finishing_out_of_order",
    "test_c34",
    "test_a_crashed_holder",
    "test_total_queue",
)


class OnSqs:
    pace = 0.1
    fifo: bool | str = False

    @pytest.fixture
    def broker_url(self, sqs_url: str) -> str:
        return sqs_url


@pytest.mark.broker
class TestSqsStandard(OnSqs, TransportSuite):
    total = 200

    @pytest.fixture(autouse=True)
    def leased(self, request: pytest.FixtureRequest) -> None:
        """Leases as long as the scenario wants them."""
        short = request.node.name.startswith(LOSING)
        self.lease, self.ages = (SHORT, SHORT + 0.3) if short else (30, 0.1)

    def make(self, folder: Path, clock: Clock) -> Transport:
        options = {"fifo": self.fifo, "lease": self.lease, "wait": 1, "max_bytes": 220_000}
        return registry.create("sqs", self.url, options, base=folder)


class TestSqsFifo(TestSqsStandard):
    total = 60  # half of them in three groups, each one at a time
    fifo = "keyed"


@pytest.mark.broker
class TestSqsStandardWorker(OnSqs, WorkerSuite):
    options: Mapping[str, Any] = {"fifo": False, "wait": 1}


class TestSqsFifoWorker(TestSqsStandardWorker):
    options = {"fifo": True, "wait": 1}
