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
    """Count the application's queues, adding up all queues behind each; of a missing one nothing is known.

    AMQP tells what is ready and how many consumers there are, HTTP also what is handed out. Which queue delayed
    messages belong to is not known.

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
    """Whether it is certain that nothing of a queue is left: nothing is ready, delayed, or held by a consumer.

    Without consumers nothing is held: what a lost consumer held is ready again as soon as it is gone. The ladder of
    delays is counted as a whole, before the queue that it leads to. All of this is done twice, as a message is counted
    nowhere while it goes from one rung to the next.

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
    """Return how many messages are handed out and not settled, by queue; None where that is not known."""
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
