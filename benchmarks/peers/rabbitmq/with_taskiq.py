"""Taskiq on its aio-pika broker: one worker process, a typed task, acked after it was executed."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from taskiq_aio_pika import AioPikaBroker, Queue, QueueType

from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main
from benchmarks.peers.rabbitmq import PREFETCH
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work

_task = Task.given()
_meter = Meter(_task)
broker = AioPikaBroker(_task.url, qos=PREFETCH, task_queues=[Queue(name=_task.queue, type=QueueType.QUORUM)])


@broker.task(task_name="work")
async def work(number: int, pad: str, sent: float) -> None:
    """Count it."""
    _meter.handled(sent)


def consume(task: Task) -> None:
    """Become its own worker program."""
    arguments = ["worker", f"{__spec__.name}:broker", "--workers", "1", "--log-level", "WARNING"]
    arguments += ["--ack-type", "when_executed"]
    os.execv(sys.executable, [sys.executable, "-m", "taskiq", *arguments])  # noqa: S606 - no shell is wanted


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish, confirmed."""
    await broker.startup()

    async def send(command: Work) -> None:
        await work.kiq(number=command.number, pad=command.pad, sent=command.sent)

    yield send
    await broker.shutdown()


if __name__ == "__main__":
    main(consume, sender)
