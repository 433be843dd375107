"""Messages on a queue of the former name are handled, on each broker, by real services."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from worker import App
from worker.messaging.transport import Ack, Outgoing, QueueSpec
from worker.settings import DatabaseSettings, Settings, TransportSettings
from worker.wiring.former import Former, moves
from worker.wiring.service import opened


class Formerly(NamedTuple):
    """A command whose queue had another name; each has queues of its own, as brokers are shared by tests that run at once.

    Attributes:
        command: its name today.
        aliases: its former ones.
        queue: the former one.
        type: of what waits there.
    """

    command: str
    aliases: tuple[str, ...]
    queue: str
    type: str


RULE = Formerly("Go", (), "b2-b-go", "Go")
RENAMED = Formerly("Run", ("Walk",), "b2b-walk", "Walk")


def application(former: Formerly) -> App:
    app = App("b2b")
    command = app.command(aliases=former.aliases)(
        msgspec.defstruct(former.command, [("number", int)], frozen=True)
    )

    async def handle(command: Any) -> None: ...

    handle.__annotations__["command"] = command
    app.handler(handle)
    return app


@pytest.mark.parametrize("former", [RULE, RENAMED], ids=["rule", "renamed"])
@pytest.mark.parametrize("broker", ["sqlite", "rabbitmq", "postgres", "kafka"])
async def test_what_waits_under_the_former_name_comes_to_todays_queue(
    broker: str, former: Formerly, tmp_path: Path, request: pytest.FixtureRequest
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
    async with opened(settings, application(former).registry()) as service:
        transport = service.brokers.transports["it"]
        queue, type_name = former.queue, former.type
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
