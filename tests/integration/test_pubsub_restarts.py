"""An emulator that dies and comes back empty: programs that run make their queues again, and nobody has to help."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from tests.brokers.pubsub import OwnPubsub
from transports import dsn
from transports.pubsub import settings
from transports.pubsub.transport import PubsubTransport
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Outgoing, QueueSpec

pytestmark = [pytest.mark.broker, pytest.mark.fault, pytest.mark.timeout(120)]

QUEUE = QueueSpec(name="orders", types=("T",))
LONGEST = 30.0
"""Seconds after the emulator's restart within which messages flow again."""


@pytest.fixture(scope="module")
def own(private_broker) -> OwnPubsub:
    return private_broker("pubsub")


@pytest.fixture
async def transports(own: OwnPubsub) -> AsyncIterator[tuple[PubsubTransport, PubsubTransport]]:
    """Who publishes, and who consumes; both have set up."""
    url = dsn.parse(f"pubsub://t{uuid.uuid4().hex[:12]}")
    options = {"emulator_host": own.host}
    pair = (
        PubsubTransport("intake", settings.read("intake", url, options)),
        PubsubTransport("worker", settings.read("worker", url, options)),
    )
    for each in pair:
        await each.connect()
        await each.setup([QUEUE])
    yield pair
    for each in pair:
        await each.close()


async def test_after_a_restart_of_the_emulator_running_programs_make_their_queues_again(
    own: OwnPubsub, transports: tuple[PubsubTransport, PubsubTransport]
) -> None:
    """What is accepted after the restart comes, every message of it, and only the first tries are told as troubles."""
    intake, worker = transports
    subscription = await worker.subscribe(QUEUE, slots=10)
    came: set[str] = set()
    ended = asyncio.Event()

    async def consume() -> None:
        while not ended.is_set():
            try:
                got = await subscription.receive(10, 0.5)
            except TransportUnavailable:
                await asyncio.sleep(0.2)  # as the worker does
                continue
            await subscription.settle([Ack(delivery) for delivery in got])
            came.update(delivery.id for delivery in got)

    async def publish_surely(name: str) -> None:
        while True:
            try:
                (outcome,) = await intake.publish([Outgoing(queue=QUEUE.name, id=name, type="T", body=b"x")])
            except TransportUnavailable:
                continue
            if outcome.accepted:
                return

    async def until(names: set[str]) -> None:
        while not names <= came:
            await asyncio.sleep(0.01)

    consuming = asyncio.create_task(consume())
    try:
        async with asyncio.timeout(LONGEST):
            await publish_surely("before")
            await until({"before"})
        await asyncio.to_thread(own.kill)
        await asyncio.to_thread(own.start)
        names = {f"after-{number}" for number in range(100)}
        async with asyncio.timeout(LONGEST):
            await asyncio.gather(*map(publish_surely, names))
            await until(names)
    finally:
        ended.set()
        await consuming
    assert not await worker.missing([QUEUE])
