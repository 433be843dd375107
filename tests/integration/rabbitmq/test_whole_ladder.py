"""The queues for delays as they are set up for users, all of them: most other tests take the lowest ones only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.integration.rabbitmq.conftest import PATIENCE, QUEUE, make, message
from transports.rabbitmq import delays
from worker.messaging.transport import Ack

pytestmark = pytest.mark.broker


async def waiting(transport, queue_type: str) -> Sequence[int]:
    """How many messages wait on each rung, from the lowest up."""
    names = delays.rungs(queue_type)
    counted = await transport._topology.counted(names)
    return [counted[name].ready for name in names]


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
async def test_a_delay_passes_all_rungs_and_the_longest_waits_on_the_highest(
    rabbitmq_url: str, queue_type: str
) -> None:
    """A short delay comes down from the entrance to its queue; one of nineteen days stays where it came in."""
    transport = make(rabbitmq_url, queue_type=queue_type)
    await transport.connect()
    try:
        await transport.setup([QUEUE])
        await transport.publish([message(1, delay=delays.LONGEST), message(2, delay=delays.UNIT)])
        subscription = await transport.subscribe(QUEUE, slots=2)
        (delivery,) = await subscription.receive(2, PATIENCE)
        assert delivery.id == "m2"
        await subscription.settle([Ack(delivery)])
        async with asyncio.timeout(PATIENCE):  # the counts follow a moment later
            while await waiting(transport, queue_type) != [0] * (delays.RUNGS - 1) + [1]:
                await asyncio.sleep(0.05)
    finally:
        await transport.close()
