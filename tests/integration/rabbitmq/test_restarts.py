"""A broker that goes and comes back, or has no memory left: nothing is lost, and no operator has to help."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.brokers.rabbitmq import OwnRabbitMQ
from tests.deep import size
from tests.integration.rabbitmq.conftest import PATIENCE, QUEUE, Flow, make, message, publish_surely
from worker.errors import TransportUnavailable
from worker.messaging.transport import OutcomeKind

pytestmark = [pytest.mark.broker, pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(300)]

SETTLED = 10.0
"""Seconds after which a quorum queue of RabbitMQ 3.10 survives ``kill -9``: one that was just declared does not."""


@pytest.fixture(scope="module")
def own(private_broker) -> OwnRabbitMQ:
    return private_broker("rabbitmq")


@pytest.fixture
async def flow(own: OwnRabbitMQ) -> AsyncIterator[Flow]:
    transport = make(own.url, publish_timeout=5)
    await transport.connect()
    made = bool(await transport.missing([QUEUE]))
    await transport.setup([QUEUE])
    if made:
        await asyncio.sleep(SETTLED)
    flow = Flow(transport)
    await flow.start()
    yield flow
    await flow.stop()
    await transport.close()


@pytest.mark.parametrize("fault", ["restart", "kill"])
async def test_a_broker_that_comes_back_has_everything(flow: Flow, own: OwnRabbitMQ, fault: str) -> None:
    """F03: while messages flow the broker goes and comes back; all that was accepted comes, and later ones too."""
    total = size(500, 2000)

    async def produce(first: int) -> None:
        for number in range(first, total, 20):
            await publish_surely(flow.transport, f"{fault}-{number}")

    async def disturb() -> None:
        async with asyncio.timeout(PATIENCE):
            while len(flow.came) < total // 4:
                await asyncio.sleep(0.005)
        await asyncio.to_thread(own.stop if fault == "restart" else own.kill)
        await asyncio.to_thread(own.start)

    flow.came.clear()
    async with asyncio.timeout(200):
        await asyncio.gather(disturb(), *(produce(first) for first in range(20)))
    await publish_surely(flow.transport, f"{fault}-after")
    await flow.until(f"{fault}-after")
    async with asyncio.timeout(PATIENCE):
        while len(flow.came) < total + 1:
            await asyncio.sleep(0.01)
    assert sum(count - 1 for count in flow.came.values()) <= 20 + 40, "more came twice than was under way"


async def test_a_broker_without_memory_takes_no_publishes_and_goes_on_delivering(
    flow: Flow, own: OwnRabbitMQ
) -> None:
    """F12: publishes end bounded, as unknown or refused at once with the reason; what waits is consumed and acked."""
    await flow.stop()
    for number in range(50):
        await publish_surely(flow.transport, f"alarm-{number}")
    await asyncio.to_thread(own.raise_alarm)
    try:
        (outcome,) = await flow.transport.publish([message("alarm-blocked")])
        assert outcome.kind is OutcomeKind.UNKNOWN
        with pytest.raises(TransportUnavailable, match="takes no publishes"):
            await flow.transport.publish([message("alarm-refused")])
        with pytest.raises(TransportUnavailable, match="takes no publishes"):
            await flow.transport.ping()
        await flow.start()
        await flow.until("alarm-49")
    finally:
        await asyncio.to_thread(own.clear_alarm)
    await publish_surely(flow.transport, "alarm-after")
    await flow.until("alarm-after")
    await flow.until("alarm-blocked")  # unknown is not lost: it was on its way


async def test_closed_by_the_broker(flow: Flow, own: OwnRabbitMQ) -> None:
    """F04: when the broker closes every connection, a message that is published afterwards comes."""
    await publish_surely(flow.transport, "closed-1")
    await flow.until("closed-1")
    await asyncio.to_thread(own.close_connections)
    await publish_surely(flow.transport, "closed-2")
    await flow.until("closed-2")


async def test_a_password_that_changes_and_comes_back(flow: Flow, own: OwnRabbitMQ) -> None:
    """F13: with a wrong password it waits, says so, and goes on when the password is right again."""
    await asyncio.to_thread(own.change_password, "other")
    try:
        await asyncio.to_thread(own.close_connections)
        async with asyncio.timeout(PATIENCE):
            while not flow.errors or "refuses us" not in flow.errors[-1]:
                await asyncio.sleep(0.02)
    finally:
        await asyncio.to_thread(own.change_password, "guest")
    await publish_surely(flow.transport, "password")
    await flow.until("password")
