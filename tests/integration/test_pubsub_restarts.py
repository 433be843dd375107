"""An emulator that dies and comes back empty: its queues are made again, and what it had confirmed is published again."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.brokers.pubsub import OwnPubsub
from transports import dsn
from transports.pubsub import settings
from transports.pubsub.transport import PubsubTransport
from worker import App
from worker.errors import TransportUnavailable
from worker.messaging.transport import Ack, Outgoing, QueueSpec
from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.wiring.console import console

pytestmark = [pytest.mark.broker, pytest.mark.fault, pytest.mark.timeout(120)]

QUEUE = QueueSpec(name="orders", types=("T",))
LONGEST = 30.0
"""Seconds after the emulator's restart within which messages flow again."""


@pytest.fixture(scope="module")
def own(private_broker) -> OwnPubsub:
    return private_broker("pubsub")


@pytest.fixture
async def transports(own: OwnPubsub) -> AsyncIterator[tuple[PubsubTransport, PubsubTransport]]:
    """A transport that publishes, and one that consumes; both have set up."""
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


app = App("shop")


@app.command
class Order(msgspec.Struct, frozen=True):
    number: int


@app.handler
async def order(command: Order) -> None: ...


@pytest.mark.parametrize("copies", [True, False])
async def test_what_was_confirmed_before_a_restart_is_published_again_when_its_queue_is_made(
    own: OwnPubsub, tmp_path: Path, copies: bool
) -> None:
    """While no program runs the loss is not noticed; ``worker setup`` notices. Without copies the message is lost."""
    url = f"pubsub://t{uuid.uuid4().hex[:12]}"
    options = {"emulator_host": own.host, "copies": copies}
    settings_ = Settings(
        database=DatabaseSettings(url=f"sqlite:///{tmp_path}/worker.db"),
        transports={"jobs": TransportSettings(url=url, options=options)},
        routing={"*": "jobs"},
        base=tmp_path,
    )
    async with console(settings_, app.registry(), tables="create") as it:
        await it.command_bus.dispatch(Order(7))
    await asyncio.to_thread(own.kill)
    await asyncio.to_thread(own.start)
    async with console(settings_, app.registry(), tables="create", queues=False) as it:
        await it.setup()
        await it.flush()
    transport = PubsubTransport("jobs", settings.read("jobs", dsn.parse(url), options))
    await transport.connect()
    try:
        subscription = await transport.subscribe(QueueSpec(name="shop-order", types=("Order",)), slots=1)
        got = await subscription.receive(10, LONGEST if copies else 1.0)
        assert [b'"number":7' in delivery.body for delivery in got] == [True] * copies
    finally:
        await transport.close()
