"""The RabbitMQ of the tests."""

from __future__ import annotations

import aio_pika
import pytest

from tests.brokers.rabbitmq import RabbitMQ

pytestmark = pytest.mark.broker


async def put_and_get(url: str, queue: str = "q") -> bytes:
    """A message through a queue of a virtual host."""
    async with await aio_pika.connect(url, timeout=10) as connection:
        channel = await connection.channel()
        declared = await channel.declare_queue(queue, durable=True)
        await channel.default_exchange.publish(aio_pika.Message(b"x", delivery_mode=2), routing_key=queue)
        got = await declared.get(timeout=10)
        await got.ack()
        return got.body


async def test_each_test_has_a_virtual_host_of_its_own(rabbitmq: RabbitMQ, rabbitmq_url: str) -> None:
    """A message goes through; a queue of one virtual host is not in another, and a host goes with its test."""
    assert await put_and_get(rabbitmq_url) == b"x"
    with rabbitmq.fresh() as other:
        async with await aio_pika.connect(other, timeout=10) as connection:
            channel = await connection.channel()
            with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
                await channel.get_queue("q")
    with pytest.raises(aio_pika.exceptions.AMQPError):
        await aio_pika.connect(other, timeout=10)
