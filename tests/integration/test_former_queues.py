"""Messages on a queue of the former name are handled, on each broker, by real services."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from worker import App
from worker.messaging.transport import Ack, Outgoing, QueueSpec
from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.wiring.former import Former, moves
from worker.wiring.service import opened

FORMER, RENAMED = ("b2-b-go", "Go"), ("b2b-walk", "Walk")
"""Queue and type of a message that waits."""


class Go(msgspec.Struct, frozen=True):
    number: int


def application() -> App:
    app = App("b2b")
    app.command(aliases=("Walk",))(Go)

    @app.handler
    async def go(command: Go) -> None: ...

    return app


@pytest.mark.parametrize("former", [FORMER, RENAMED])
@pytest.mark.parametrize("broker", ["sqlite", "rabbitmq", "postgres", "kafka"])
async def test_what_waits_under_the_former_name_comes_to_todays_queue(
    broker: str, former: tuple[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every message, once each, and the former queue is empty after."""
    local = f"sqlite:///{tmp_path}/queue.db"
    url = local if broker == "sqlite" else request.getfixturevalue(f"{broker}_url")
    settings = Settings(
        database=DatabaseSettings(url=f"sqlite:///{tmp_path}/state.db"),
        transports={"it": TransportSettings(url=url)},
        routing={"*": "it"},
        base=tmp_path,
    )
    async with opened(settings, application().registry()) as service:
        transport = service.brokers.transports["it"]
        queue, type_name = former
        await transport.setup([QueueSpec(name=queue, types=(type_name,))])
        ids = [f"0194b9a0-0000-7000-8000-{n:012}" for n in range(250)]
        events = [
            {"specversion": "1.0", "id": id, "type": type_name, "source": "b2b", "data": {"number": n}}
            for n, id in enumerate(ids)
        ]
        bodies = [msgspec.json.encode(event) for event in events]
        await service.sending.senders["it"].publish(
            [
                Outgoing(queue=queue, id=id, type=type_name, body=body)
                for id, body in zip(ids, bodies, strict=True)
            ]
        )
        former_queues = Former(
            service, moves(service.process.registry, [("it", service.process.routes.queues["it"][0])])
        )
        await former_queues.look()
        subscription = await transport.subscribe(service.process.routes.queues["it"][0], slots=500)
        found: list[str] = []
        async with asyncio.timeout(60):
            while len(found) < len(ids):
                came = await subscription.receive(500, 1.0)
                await subscription.settle([Ack(delivery) for delivery in came])
                found += [delivery.id for delivery in came]
                if not found:  # on a loaded machine a look ends before Kafka has dealt out the partitions
                    await former_queues.look()
        assert sorted(found) == ids
        await subscription.close(1.0)
