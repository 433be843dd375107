"""The driver has the parts that make reading it cheap: a new version may not have them."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from tests.conformance.waiting import eventually
from tests.integration.kafka.work import QUEUE, Connect, messages
from transports.kafka import driver

pytestmark = [pytest.mark.broker]


async def test_what_lies_ready_comes_as_it_was_parsed(connect: Connect, space: str) -> None:
    """From a real broker, through the driver's own ``getmany``."""
    transport = await connect(partitions=1)
    await transport.setup([QUEUE])
    await transport.publish(messages(50))
    server, prefix = space.removeprefix("kafka://").split("/")
    consumer = AIOKafkaConsumer(
        f"{prefix}.{QUEUE.name}", bootstrap_servers=server, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        await eventually(lambda: consumer._fetcher._records, "something is fetched")
        driver.spare(consumer)
        (batch,) = (await consumer.getmany(timeout_ms=0)).values()
    finally:
        await consumer.stop()
    assert batch
    assert not any(isinstance(record, ConsumerRecord) for record in batch)
    assert [record.offset for record in batch] == list(range(len(batch)))
