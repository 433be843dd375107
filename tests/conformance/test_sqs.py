"""The SQS transport is a transport, on standard and on FIFO queues."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.clock import Clock
from tests.conformance.suite import TransportSuite
from tests.conformance.waiting import settled_turns
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging.transport import Ack, Outgoing, QueueSpec, Settled, Transport

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
EXTENDING = "test_c33_an_extended"
"""What extends must come in time, each third of a lease, also on a loaded machine."""


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
        name = request.node.name
        if name.startswith(LOSING):
            self.lease = 2 * SHORT if name.startswith(EXTENDING) else SHORT
            self.ages = self.lease + 0.3
        else:
            self.lease, self.ages = 30, 0.1

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


@pytest.mark.broker
async def test_what_comes_after_a_stop_broke_a_long_poll_off_is_had_long_before_the_lease_ends(
    sqs_url: str, tmp_path: Path
) -> None:
    """Whether the server notices that the client is gone, or hands the message to the poll that is gone and holds its key."""
    spec = QueueSpec(name="shop-place-order", types=("PlaceOrder",), keyed=True)
    one, other = (
        registry.create("sqs", sqs_url, {"lease": 600, "wait": 20}, base=tmp_path) for _ in range(2)
    )
    await one.connect()
    await one.setup([spec])
    await other.connect()
    try:
        subscription: Any = await one.subscribe(spec, slots=10)
        receiving = asyncio.ensure_future(subscription.receive(10, 60.0))
        await other.publish([Outgoing(queue=spec.name, id="1", type="PlaceOrder", body=b"1", key="k")])
        (delivery,) = await receiving
        assert list(await subscription.settle([Ack(delivery)])) == [Settled.DONE]
        while not subscription.holding.polls._idle:  # the next poll is a long one
            await subscription.receive(10, 1.0)
        receiving = asyncio.ensure_future(subscription.receive(10, 60.0))
        await settled_turns()
        await one.close()
        assert not await receiving
        await other.publish([Outgoing(queue=spec.name, id="2", type="PlaceOrder", body=b"2", key="k")])
        async with asyncio.timeout(60):
            subscription = await other.subscribe(spec, slots=10)
            (delivery,) = await subscription.receive(10, 60.0)
        assert delivery.id == "2"
        assert list(await subscription.settle([Ack(delivery)])) == [Settled.DONE]
    finally:
        await one.close()
        await other.close()
