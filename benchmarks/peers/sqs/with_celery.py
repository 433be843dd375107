"""Celery on SQS: the solo pool, which is one process, late acks, prefetch 100; it publishes one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from celery import Celery

from benchmarks.peers.meter import Meter
from benchmarks.peers.program import Send, main
from benchmarks.peers.sqs import endpoint_of, prefix_of, region_of
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work

PREFETCH = 100

_task = Task.given()
_meter = Meter(_task)
app = Celery("bench", broker=f"sqs://test:test@{endpoint_of(_task.url).partition('://')[2]}//")
app.conf.update(
    task_default_queue=_task.queue,
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=PREFETCH,
    broker_transport_options={
        "region": region_of(_task.url),
        "queue_name_prefix": prefix_of(_task.url),
        "is_secure": False,
        "wait_time_seconds": 1,
        "polling_interval": 0,
    },
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="work")
def work(number: int, pad: str, sent: float) -> None:
    """Count it."""
    _meter.handled(sent)


def consume(task: Task) -> None:
    """Run its own worker program."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    app.worker_main(["worker", "--pool", "solo", "--loglevel", "WARNING", *quiet])


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Publish; a call returns with the service's answer."""
    with app.producer_pool.acquire() as producer:

        async def send(command: Work) -> None:
            work.apply_async((command.number, command.pad, command.sent), producer=producer)

        yield send


if __name__ == "__main__":
    main(consume, sender)
