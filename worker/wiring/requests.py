"""How many requests the service makes of brokers that are paid by the request."""

from __future__ import annotations

from worker.errors import Unavailable
from worker.messaging.abilities import Priced, Requests
from worker.wiring.service import Service


async def requests(service: Service) -> dict[str, Requests]:
    """Count by transport, for the processes that are alive now, and for one where there are none."""
    priced = {
        name: transport
        for name, transport in service.brokers.transports.items()
        if isinstance(transport, Priced)
    }
    if not priced:
        return {}
    try:
        workers = await service.fleet.live()
    except Unavailable:
        workers = []
    targets = service.fleet.pausing.targets
    counted: dict[str, Requests] = {}
    for name, transport in priced.items():
        types = {target.type for target in targets if target.transport == name}
        processes = sum(not types.isdisjoint(worker.types) for worker in workers)
        counted[name] = transport.requests(len(service.process.routes.queues[name]), max(1, processes))
    return counted
