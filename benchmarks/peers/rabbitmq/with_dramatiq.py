"""Dramatiq: one worker process with its eight threads; it publishes one by one, each confirmed."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main
from benchmarks.peers.rabbitmq import PREFETCH, QUORUM
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work

_task = Task.given()
_meter = Meter(_task)


class QuorumBroker(RabbitmqBroker):
    """Declares quorum queues: Dramatiq's own broker declares classic ones."""

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        return {**super()._build_queue_arguments(queue_name), **QUORUM}


broker = QuorumBroker(url=_task.url, confirm_delivery=True)
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name=_task.queue)
def work(number: int, pad: str, sent: float) -> None:
    """Count it."""
    _meter.handled(sent)


def consume(task: Task) -> None:
    """Become its own worker program."""
    os.environ["dramatiq_queue_prefetch"] = str(PREFETCH)  # noqa: SIM112 - its own name
    arguments = [__spec__.name, "--processes", "1"]
    os.execv(sys.executable, [sys.executable, "-m", "dramatiq", *arguments])  # noqa: S606 - no shell is wanted


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish; a call returns with the confirm."""
    broker.declare_queue(task.queue, ensure=True)

    async def send(command: Work) -> None:
        work.send(command.number, command.pad, command.sent)

    yield send
    broker.close()


if __name__ == "__main__":
    main(consume, sender)
