"""Counts what waits: over AMQP, and over HTTP where that is configured."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from transports.rabbitmq import names
from transports.rabbitmq.settings import Settings
from transports.rabbitmq.topology import Topology
from worker.messaging.transport import Depth

log = structlog.stdlib.get_logger("worker.rabbitmq")


async def count(topology: Topology, settings: Settings, queue: str) -> Depth:
    """Count one queue of the application, all that stands behind it added up; nothing known of a missing one.

    AMQP tells what is ready and how many consume it, HTTP also what is handed out; of delays nobody knows
    which queue they belong to.

    Raises:
        TransportUnavailable: the broker does not answer.
    """
    main = await topology.counted(queue)
    if main is None:
        return Depth()
    beside = [await topology.counted(name) for name in (names.keys(queue), names.dead(queue))]
    ready = sum(each.ready for each in (main, *beside) if each is not None)
    in_flight = await _in_flight(settings, [queue, names.keys(queue), names.dead(queue)])
    return Depth(ready=ready, in_flight=in_flight, consumers=main.consumers)


async def _in_flight(settings: Settings, queues: Sequence[str]) -> int | None:
    """Messages handed out and not settled; None where nobody tells."""
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
    return sum(each.in_flight for each in found.values())
