"""The RabbitMQ of the tests."""

from __future__ import annotations

import aio_pika
import pytest

from tests.brokers.rabbitmq import OwnRabbitMQ, RabbitMQ

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


@pytest.mark.fault
@pytest.mark.slow
async def test_private_server_is_killed_restarted_and_controlled(private_broker, rabbitmq: RabbitMQ) -> None:
    """A private server survives kill -9 and a restart on its port, closes connections, changes passwords; others do not notice."""
    own: OwnRabbitMQ = private_broker("rabbitmq")
    assert own.url != rabbitmq.url
    assert await put_and_get(own.url) == b"x"
    own.kill()
    with pytest.raises(OSError):
        await aio_pika.connect(own.url, timeout=10)
    own.start()
    assert await put_and_get(own.url) == b"x"
    connection = await aio_pika.connect(own.url, timeout=10)
    channel = await connection.channel()
    own.close_connections()
    with pytest.raises(aio_pika.exceptions.AMQPError):
        await channel.declare_queue("another", timeout=10)
    await connection.close()
    own.change_password("other")
    with pytest.raises(aio_pika.exceptions.AMQPError):
        await aio_pika.connect(own.url, timeout=10)
    own.change_password("guest")
    own.raise_alarm()
    own.clear_alarm()
    own.stop()
    own.start()
    assert await put_and_get(own.url) == b"x"
    with rabbitmq.fresh() as url:
        assert await put_and_get(url) == b"x"
