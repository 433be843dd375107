"""aiokafka alone, its messages iterated one by one, with a commit five times a second beside the reading."""

from __future__ import annotations

import uvloop

from benchmarks.peers.kafka.raw_aiokafka import iterated, sender, until_ended
from benchmarks.peers.program import main
from benchmarks.peers.task import Task


def consume(task: Task) -> None:
    """Consume until terminated."""
    uvloop.run(until_ended(task, iterated, each_batch=False))


if __name__ == "__main__":
    main(consume, sender)
