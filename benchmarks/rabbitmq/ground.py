"""RabbitMQ as a ground: a virtual host for each measurement."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol, cast

import aiormq
import httpx
from aiormq.abc import ChannelFrame, DeliveredMessage
from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

_UUID = re.compile(rb"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}")
_AT_ONCE = 1000
_PATIENCE = 60.0


class Broker(Protocol):
    """What is asked of ``tests.brokers.rabbitmq.RabbitMQ``."""

    how: str

    def fresh(self) -> AbstractContextManager[str]:
        """An empty virtual host."""
        ...

    def api(self, method: str, path: str) -> httpx.Response:
        """Ask the management API."""
        ...


class RabbitGround:
    """Quorum queues on one node."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def fresh(self) -> AbstractContextManager[str]:
        """An empty virtual host."""
        return self._broker.fresh()

    def multiply(self, url: str, queue: str, messages: int) -> None:
        """Take the one message out and publish copies; returns when the broker has them all."""
        asyncio.run(_multiply(url, queue, messages))

    def left(self, url: str, queue: str) -> int:
        """Count what is ready: of a consumer that has ended nothing else is left."""
        return asyncio.run(_left(url, queue))

    def facts(self) -> dict[str, str]:
        """The broker's version and where it came from."""
        overview = self._broker.api("GET", "overview").json()
        version = (
            f"{overview['rabbitmq_version']}, Erlang {overview['erlang_version']}, 1 node, quorum queues"
        )
        return {"rabbitmq": f"{version}; {self._broker.how}"}


async def _multiply(url: str, queue: str, messages: int) -> None:
    async with await aiormq.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=False)
        sample = await channel.basic_get(queue)
        assert isinstance(sample.delivery, commands.Basic.GetOk), f"no message in {queue}"
        frames = _written(sample, queue, channel.number)
        ids = {found[0] for found in _UUID.finditer(frames)}
        for start in range(0, messages, _AT_ONCE):
            copies = [_renewed(frames, ids) for _ in range(min(_AT_ONCE, messages - start))]
            await cast("Any", channel).write_queue.put(  # many messages in one write
                ChannelFrame(payload=b"".join(copies), should_close=False)
            )
        await channel.basic_ack(sample.delivery.delivery_tag or 0)
        async with asyncio.timeout(_PATIENCE):
            while (await channel.queue_declare(queue, passive=True)).message_count != messages:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # a broker tells only when it is asked


def _written(sample: DeliveredMessage, queue: str, channel: int) -> bytes:
    """The frames that publish the message once more."""
    publish = commands.Basic.Publish(exchange="", routing_key=queue)
    header = ContentHeader(properties=sample.header.properties, body_size=len(sample.body))
    marshalled = [frame.marshal(one, channel) for one in (publish, header, ContentBody(sample.body))]
    return b"".join(marshalled)


def _renewed(frames: bytes, ids: Iterable[bytes]) -> bytes:
    """The same frames with other ids; they are as long, so nothing else changes."""
    for id in ids:
        new = uuid.uuid4()
        frames = frames.replace(id, (str(new) if b"-" in id else new.hex).encode())
    return frames


async def _left(url: str, queue: str) -> int:
    async with await aiormq.connect(url) as connection:
        channel = await connection.channel()
        return (await channel.queue_declare(queue, passive=True)).message_count or 0
