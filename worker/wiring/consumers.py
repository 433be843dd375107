"""The consumers document: the fleet's workers, and what waits on each queue."""

from __future__ import annotations

from typing import Any

from worker.errors import Unavailable
from worker.messaging.bus import timestamp
from worker.messaging.failure import Filter
from worker.messaging.transport import Countable, Depth
from worker.wiring.service import Service

LIVE = 15.0
"""Seconds after its last heartbeat in which a worker counts as alive."""


async def consumers(service: Service) -> dict[str, Any]:
    """Make the document; what a broker cannot tell, or does not answer, is None."""
    workers = await service.workers.live(LIVE)
    items = []
    for name, specs in service.routes.queues.items():
        depths = await _depths(service, name, [spec.name for spec in specs])
        for spec in specs:
            depth = depths.get(spec.name, Depth())
            for type_name in spec.types:
                taking = sum(type_name in worker.types for worker in workers)
                items.append(
                    {
                        "type": type_name,
                        "kind": service.registry.messages[type_name].kind,
                        "transport": name,
                        "queue": spec.name,
                        "paused": False,
                        "pause": None,
                        "applied": f"{taking}/{taking}",
                        "ready": depth.ready,
                        "in_flight": depth.in_flight,
                        "delayed": depth.delayed,
                        "failed": await service.failures.count(Filter(type=type_name)),
                    }
                )
    return {
        "version": 0,
        "workers": [
            {
                "id": worker.id,
                "host": worker.host,
                "pid": worker.pid,
                "started_at": timestamp(worker.started_at),
                "seen_at": timestamp(worker.seen_at),
                "applied_version": worker.applied_version,
                "types": list(worker.types),
            }
            for worker in workers
        ],
        "consumers": items,
    }


async def _depths(service: Service, name: str, queues: list[str]) -> dict[str, Depth]:
    transport: object = service.transports.get(name)  # None: not connected
    if transport is None or not isinstance(transport, Countable):
        return {}
    try:
        return dict(await transport.depth(queues))
    except Unavailable:
        return {}
