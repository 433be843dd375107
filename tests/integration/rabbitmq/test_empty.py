"""Whether a queue holds nothing for certain: what a status of a dead worker goes by."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.integration.rabbitmq.conftest import PATIENCE, QUEUE, make, message
from worker.messaging.transport import Ack

pytestmark = pytest.mark.broker


async def test_a_queue_is_empty_when_nobody_holds_and_nothing_waits(rabbitmq_url: str) -> None:
    """Not while a message is ready, handed out or delayed, nor while a consumer is there, nor when it is missing."""
    transport = make(rabbitmq_url)
    await transport.connect()
    try:
        assert not await transport.is_empty(QUEUE.name)
        await transport.setup([QUEUE])
        assert await transport.is_empty(QUEUE.name)
        await transport.publish([message(1)])
        assert not await transport.is_empty(QUEUE.name)
        subscription = await transport.subscribe(QUEUE, slots=1)
        (delivery,) = await subscription.receive(1, PATIENCE)
        assert not await transport.is_empty(QUEUE.name)
        await subscription.settle([Ack(delivery)])
        assert not await transport.is_empty(QUEUE.name)  # one may be on its way to a consumer
        await subscription.close(1.0)
        async with asyncio.timeout(PATIENCE):
            while not await transport.is_empty(QUEUE.name):
                await asyncio.sleep(0)
        await transport.publish([msgspec.structs.replace(message(2), delay=3600.0)])
        assert not await transport.is_empty(QUEUE.name)
    finally:
        await transport.close()
