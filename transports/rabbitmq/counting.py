"""Counts what waits: over AMQP, and over HTTP where that is configured."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from transports.rabbitmq import delays
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.topology import Topology
from worker.messaging.transport import Depth, QueueSpec

log = structlog.stdlib.get_logger("worker.rabbitmq")


async def count(topology: Topology, settings: Settings, specs: Sequence[QueueSpec]) -> Mapping[str, Depth]:
    """Count queues of the application, all that stands behind each added up; nothing known of a missing one.

    AMQP tells what is ready and how many consume it, HTTP also what is handed out; of delays nobody knows
    which queue they belong to.

    Raises:
        TransportUnavailable: the broker does not answer.
    """
    behind = {spec.name: topology.queues(spec) for spec in specs}
    every = [name for names in behind.values() for name in names]
    counted = await topology.counted(every)
    in_flight = await _in_flight(settings, [name for name in every if name in counted])
    depths: dict[str, Depth] = {}
    for queue, names in behind.items():
        main = counted.get(queue)
        if main is None:
            depths[queue] = Depth()
            continue
        depths[queue] = Depth(
            ready=sum(counted[name].ready for name in names if name in counted),
            in_flight=None if in_flight is None else sum(in_flight.get(name, 0) for name in names),
            consumers=main.consumers,
        )
    return depths


async def is_empty(topology: Topology, settings: Settings, spec: QueueSpec) -> bool:
    """Whether nothing of a queue is left for certain: nothing is ready or delayed, and nobody can hold anything.

    Nobody can where nobody consumes: what a lost consumer held is ready again in the moment in which it is gone. The
    ladder of delays is counted as a whole, before the queue that it leads to, and all of it twice, since a message
    is counted nowhere while it goes from one rung to the next.

    Raises:
        TransportUnavailable: the broker does not answer.
    """
    behind = topology.queues(spec)
    for _ in range(2):
        waiting = await topology.counted(delays.rungs(settings.queue_type))
        counted = await topology.counted(behind)
        if spec.name not in counted or any(one.consumers for one in counted.values()):
            return False
        if any(one.ready or one.doubtful for one in (*waiting.values(), *counted.values())):
            return False
    return True


async def _in_flight(settings: Settings, queues: Sequence[str]) -> Mapping[str, int] | None:
    """Messages handed out and not settled, by queue; None where nobody tells."""
    if settings.management is None:
        return None
    from transports.rabbitmq import management  # an HTTP client, which few processes need

    try:
        found = await asyncio.to_thread(management.count, settings.management, settings.vhost, queues)
    except OSError as error:
        log.warning(
            "RabbitMQ's management interface does not answer",
            url=settings.management.masked,
            error=str(error),
        )
        return None
    return {name: each.in_flight for name, each in found.items()}
