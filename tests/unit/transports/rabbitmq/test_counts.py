"""What a broker's counts are worth."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from pamqp import commands

from transports.rabbitmq import administration, counting, steps
from transports.rabbitmq.consumption import Consumption
from transports.rabbitmq.prefetched import Prefetched
from transports.rabbitmq.receipt import DEAD, MAIN
from worker.messaging.transport import QueueSpec


class Channel:
    """Answers each question about a queue with the next of ``answers``."""

    def __init__(self, *answers: commands.Queue.DeclareOk) -> None:
        self.answers = answers

    def tell(self, receiver: object) -> None:
        """Nothing comes."""

    async def call_all(self, requests: Sequence[object], timeout: float) -> Sequence[object]:
        assert len(requests) == len(self.answers)
        return self.answers

    async def call(self, request: object, timeout: float) -> object:
        return commands.Basic.QosOk()


async def waiting(*answers: tuple[int, int]) -> int:
    channel: Any = Channel(
        *(commands.Queue.DeclareOk("jobs", ready, consumers) for ready, consumers in answers)
    )
    held = Prefetched(lambda: None, {})
    return await Consumption(channel, "jobs", 20, held, lambda: 0.0).waiting((MAIN, DEAD)[: len(answers)])


async def test_what_waits_is_added_up() -> None:
    assert await waiting((3, 1), (2, 5)) == 5
    assert await waiting((0, 1), (0, 1)) == 0


async def test_a_count_that_does_not_know_its_own_consumer_is_none() -> None:
    """A quorum queue whose leader is slow or away tells of no messages and no consumers, though it is consumed."""
    assert await waiting((0, 0)) > 0
    assert await waiting((0, 1), (0, 0)) > 0


class Queue:
    """A queue as the broker tells of it."""

    def __init__(self, ready: int, consumers: int) -> None:
        self.declaration_result = commands.Queue.DeclareOk("jobs", ready, consumers)


@pytest.mark.parametrize(
    ("ready", "consumers", "after", "doubtful"),
    [(0, 0, 0.0, False), (0, 0, 0.26, True), (1, 0, 0.26, False), (0, 1, 0.26, False)],
)
async def test_zeros_that_take_long_are_no_proof_that_a_queue_is_empty(
    monkeypatch: pytest.MonkeyPatch, ready: int, consumers: int, after: float, doubtful: bool
) -> None:
    times = iter((10.0, 10.0 + after))
    monkeypatch.setattr(administration, "_time", lambda: next(times))

    class Looked:
        async def declare_queue(self, name: str, **options: object) -> Queue:
            return Queue(ready, consumers)

    channel: Any = Looked()
    found = await administration._take(channel, steps.Queue("jobs"))
    assert found == steps.Counted(ready, consumers, doubtful)


class Counts:
    """A broker's queues as they are counted."""

    def __init__(self, **found: steps.Counted) -> None:
        self.found = found

    def queues(self, spec: QueueSpec) -> Sequence[str]:
        return [spec.name]

    async def counted(self, queues: Sequence[str]) -> dict[str, steps.Counted]:
        return {name: self.found.get(name, steps.Counted(0, 0, False)) for name in queues}


@pytest.mark.parametrize(
    ("found", "empty"),
    [
        (steps.Counted(0, 0, False), True),
        (steps.Counted(0, 0, True), False),
        (steps.Counted(1, 0, False), False),
        (steps.Counted(0, 1, False), False),
    ],
)
async def test_a_queue_is_empty_where_its_leader_has_said_so(found: steps.Counted, empty: bool) -> None:
    """Not where it did not answer in time."""
    topology: Any = Counts(jobs=found)
    settings: Any = SimpleNamespace(queue_type="quorum")
    assert await counting.is_empty(topology, settings, QueueSpec(name="jobs", types=("T",))) is empty
