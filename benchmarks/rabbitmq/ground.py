"""RabbitMQ as a ground: a virtual host for each measurement."""

from __future__ import annotations

import asyncio
import re
import uuid
from contextlib import AbstractContextManager
from typing import Any, Protocol

import aiormq
import httpx
from aiormq.abc import DeliveredMessage
from pamqp import commands

_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}")
_AT_ONCE = 1000


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
        """Take the one message out and publish copies, persistent and confirmed."""
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
        channel = await connection.channel(publisher_confirms=True)
        sample = await channel.basic_get(queue)
        assert isinstance(sample.delivery, commands.Basic.GetOk), f"no message in {queue}"
        for start in range(0, messages, _AT_ONCE):
            copies = [_copy(sample) for _ in range(min(_AT_ONCE, messages - start))]
            await asyncio.gather(
                *(
                    channel.basic_publish(body, routing_key=queue, properties=properties, wait=False)  # type: ignore[call-arg]  # only its protocol lacks that
                    for body, properties in copies
                )
            )
        await channel.basic_ack(sample.delivery.delivery_tag or 0)


def _copy(sample: DeliveredMessage) -> tuple[bytes, commands.Basic.Properties]:
    """Copy a message, every id in it replaced by a new one of the same form."""
    new: dict[str, str] = {}

    def renewed(value: Any) -> Any:
        return _UUID.sub(lambda found: new.setdefault(found[0], _like(found[0])), value)

    given = sample.header.properties
    values = {name: getattr(given, name) for name in given.__slots__ if getattr(given, name) is not None}
    values = {name: renewed(value) if isinstance(value, str) else value for name, value in values.items()}
    values["headers"] = {
        name: renewed(value) if isinstance(value, str) else value
        for name, value in (given.headers or {}).items()
    }
    values.setdefault("message_id", str(uuid.uuid4()))
    return renewed(sample.body.decode()).encode(), commands.Basic.Properties(**values)


def _like(id: str) -> str:
    new = uuid.uuid4()
    return str(new) if "-" in id else new.hex


async def _left(url: str, queue: str) -> int:
    async with await aiormq.connect(url) as connection:
        channel = await connection.channel()
        return (await channel.queue_declare(queue, passive=True)).message_count or 0
