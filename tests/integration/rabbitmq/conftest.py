"""Transports over a proxy in front of the shared RabbitMQ, and what flows through them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.proxy.proxy import Proxy
from transports import registry
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Outgoing, QueueSpec

QUEUE = QueueSpec(name="jobs", types=("Job",))
PATIENCE = 40.0
"""Seconds after which what was waited for is not going to happen: the promise is 30."""


def message(number: object, **changes):
    facts = {"queue": QUEUE.name, "id": f"m{number}", "type": "Job", "body": b"{}"}
    return Outgoing(**(facts | changes))


def through(url: str, port: int) -> str:
    """The same address, behind the proxy's port."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))


def make(url: str, **options):
    return registry.create("rabbitmq", url, {"heartbeat": 1} | options, base=Path())


async def publish_surely(transport, number: object, **changes) -> None:
    """Publish until it is accepted, under one id: what an intake's client does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                (outcome,) = await transport.publish([message(number, **changes)])
            except TransportUnavailable:
                await asyncio.sleep(0.05)
                continue
            if outcome.accepted:
                return


class Flow:
    """A consumer that acks whatever comes, through every outage, and counts it."""

    def __init__(self, transport) -> None:
        self.transport = transport
        self.came: Counter[str] = Counter()
        self.errors: list[str] = []
        self.subscription = None
        self._running = None

    async def start(self) -> None:
        self.subscription = await self.transport.subscribe(QUEUE, slots=20)
        self._running = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def until(self, number: object) -> None:
        """Wait until a message has come."""
        async with asyncio.timeout(PATIENCE):
            while f"m{number}" not in self.came:
                await asyncio.sleep(0.01)

    async def _run(self) -> None:
        while True:
            try:
                got = await self.subscription.receive(20, 1.0)
            except TransportUnavailable as error:
                self.errors.append(str(error))
                await asyncio.sleep(0.05)
                continue
            await self.subscription.settle([Ack(delivery) for delivery in got])
            self.came.update(delivery.id for delivery in got)


@pytest.fixture
def proxy(rabbitmq) -> Iterator[Proxy]:
    with Proxy(urlsplit(rabbitmq.url).port) as proxy:
        yield proxy


@pytest.fixture
def proxied_url(rabbitmq_url: str, proxy: Proxy) -> str:
    return through(rabbitmq_url, proxy.port)


@pytest.fixture
async def transport(proxied_url: str) -> AsyncIterator[object]:
    made = make(proxied_url)
    await made.connect()
    await made.setup([QUEUE])
    yield made
    await made.close()


@pytest.fixture
async def flow(transport) -> AsyncIterator[Flow]:
    flow = Flow(transport)
    await flow.start()
    yield flow
    await flow.stop()
