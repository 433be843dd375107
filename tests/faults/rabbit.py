"""A RabbitMQ to break, and a flow of commands over it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit, urlunsplit

import aio_pika

from tests.brokers.rabbitmq import OwnRabbitMQ
from tests.e2e.project import Project
from tests.faults.flow import Flow
from tests.proxy.proxy import Proxy

QUEUE = "flow-take"
"""Of the commands that are noted."""


class Rabbit:
    """One virtual host of a broker that a module of tests has to itself.

    Attributes:
        proxy: what the workers and the intake connect through.
        steady: seconds for which a count must stay the same: channels tell theirs twice a second, and the management
            interface takes it over every second.
        young: seconds that a quorum queue must have been there before RabbitMQ 3.10 may be killed.
        lease: what is handed out is held as long as its connection.
        copied: nothing is: the server keeps what it has confirmed.
    """

    steady = 3.0
    young = 12.0
    lease = math.inf
    copied = False

    def __init__(self, server: OwnRabbitMQ, url: str, proxy: Proxy) -> None:
        self.server = server
        self.proxy = proxy
        self._url = url
        self._vhost = urlsplit(url).path[1:]

    def flow(
        self,
        project: Project,
        queue_type: str = "quorum",
        database: str | None = None,
        *,
        near_state: bool = True,
    ) -> Flow:
        """Commands over this broker; their state always is on another line."""
        parts = urlsplit(self._url)
        port = str(self.proxy.port).join(parts.netloc.rsplit(str(parts.port), 1))
        url = urlunsplit(parts._replace(netloc=port))
        options = f'queue_type = "{queue_type}"'
        return Flow(project, ("rabbitmq", url), self, options=options, database=database)

    def hang_up(self) -> None:
        """End every connection, from the broker's side."""
        self.server.close_connections()

    def queues(self) -> dict[str, int]:
        """Messages of each queue, in hand or not, as the broker last counted; one where it has not counted yet."""
        listed = self.server.api("GET", f"queues/{quote(self._vhost)}").json()
        return {one["name"]: int(one.get("messages", 1)) for one in listed}

    def waiting(self) -> int:
        """Messages on all queues: counted now where no worker has any in hand, else as of a few seconds ago."""
        counted = self.queues()
        return max(sum(counted.values()), asyncio.run(self._ready(list(counted))))

    def held(self) -> int:
        """Commands to note that are handed out and not settled, while no worker moves."""
        vhost = quote(self._vhost)
        consumers = self.server.api("GET", f"consumers/{vhost}").json()
        mine = {
            one["channel_details"]["name"]
            for one in consumers
            if one["queue"]["name"] == QUEUE and one["channel_details"]
        }
        channels = self.server.api("GET", f"vhosts/{vhost}/channels").json()
        return sum(one.get("messages_unacknowledged", 0) for one in channels if one["name"] in mine)

    def unsettled(self, begun: Collection[int]) -> int:
        """How many of those that were begun are not settled, while no worker moves."""
        queue = self.server.api("GET", f"queues/{quote(self._vhost)}/{QUEUE}").json()
        return len(begun) - int(queue.get("message_stats", {}).get("ack", 0))

    def delete(self, queue: str) -> None:
        """Take a queue away by the operator's hand."""
        self.server.api("DELETE", f"queues/{quote(self._vhost)}/{quote(queue)}")

    async def _ready(self, queues: list[str]) -> int:
        connection = await aio_pika.connect(self._url, timeout=20)
        async with connection:
            channel = await connection.channel()
            declared = [await channel.declare_queue(name, passive=True, timeout=20) for name in queues]
            return sum(one.declaration_result.message_count or 0 for one in declared)


@contextmanager
def rabbit(server: OwnRabbitMQ) -> Iterator[Rabbit]:
    """A virtual host for one test, removed afterwards, with a proxy before it."""
    port = urlsplit(server.url).port
    assert port is not None
    with server.fresh() as url, Proxy(port) as proxy:
        yield Rabbit(server, url, proxy)
