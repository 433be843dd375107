"""The Kafka of the tests."""

from __future__ import annotations

import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

pytestmark = pytest.mark.broker


async def put_and_get(url: str) -> bytes:
    """A message through a new topic."""
    address = url.removeprefix("kafka://")
    topic = f"test-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        await producer.send_and_wait(topic, b"x")
    async with AIOKafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        got = await consumer.getone()
    return got.value


async def test_message_goes_through(kafka_url: str) -> None:
    """The shared broker takes a topic and gives its message back."""
    assert await put_and_get(kafka_url) == b"x"
