"""aiokafka alone, with a commit five times a second that the reading does not wait for."""

from __future__ import annotations

import uvloop

from benchmarks.peers.kafka.raw_aiokafka import in_batches, sender, until_ended
from benchmarks.peers.program import main
from benchmarks.peers.task import Task


def consume(task: Task) -> None:
    """Consume until terminated."""
    uvloop.run(until_ended(task, in_batches, each_batch=False))


if __name__ == "__main__":
    main(consume, sender)
