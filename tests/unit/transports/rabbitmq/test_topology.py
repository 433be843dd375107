"""Asking for queues takes as few channels as it can: what is missing ends one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from transports import dsn
from transports.rabbitmq import counting, settings
from transports.rabbitmq.administration import Missing
from transports.rabbitmq.steps import Counted, Queue, Step
from transports.rabbitmq.topology import Topology
from worker.messaging.transport import Depth, QueueSpec


class Administration:
    """A broker with these queues; notes each round."""

    def __init__(self, *queues: str) -> None:
        self.queues = queues
        self.rounds: list[list[str]] = []

    async def perform(self, steps: Sequence[Step]) -> list[Counted]:
        asked = [step.name for step in steps if isinstance(step, Queue)]
        self.rounds.append(asked)
        for name in asked:
            if name not in self.queues:
                raise Missing(name)
        return [Counted(2, 1) for _ in asked]


async def depths(broker: Administration, kind: str, *specs: QueueSpec) -> dict[str, Depth]:
    read = settings.read("rabbitmq", dsn.parse("amqp://h/"), {"queue_type": kind}, Path())
    return dict(await counting.count(Topology("rabbitmq", broker, read), read, specs))


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("quorum", ["plain", "plain.dead", "keyed", "keyed.keys", "keyed.dead"]),
        ("classic", ["plain", "keyed", "keyed.keys"]),
    ],
)
async def test_queues_that_are_there_are_counted_in_one_round(kind: str, asked: list[str]) -> None:
    """Only what stands behind a queue is asked for, and over one channel."""
    broker = Administration(*asked)
    plain, keyed = (QueueSpec(name=name, types=(), keyed=name == "keyed") for name in ("plain", "keyed"))
    counted = await depths(broker, kind, plain, keyed)
    assert broker.rounds == [asked]
    behind = {name: sum(one.startswith(name) for one in asked) for name in ("plain", "keyed")}
    assert counted == {name: Depth(ready=2 * count, consumers=1) for name, count in behind.items()}


async def test_a_missing_queue_hides_no_other() -> None:
    """Nothing is known of it, and all of the rest."""
    broker = Administration("here", "here.dead")
    counted = await depths(broker, "quorum", *(QueueSpec(name=name, types=()) for name in ("gone", "here")))
    assert counted == {"gone": Depth(), "here": Depth(ready=4, consumers=1)}
