"""The consumers document: the fleet's workers, what is paused and applied, and what waits on each queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from worker.errors import Unavailable
from worker.messaging.abilities import Countable
from worker.messaging.bus import timestamp
from worker.messaging.failure import Filter
from worker.messaging.pausing import Pause, Pauses, Target
from worker.messaging.transport import Depth
from worker.state.workers import Heartbeat
from worker.wiring.service import Service


async def consumers_document(service: Service) -> dict[str, Any]:
    """Make the document; what a broker cannot tell, or does not answer, is None."""
    pauses = await service.fleet.pausing.read()
    workers = await service.fleet.live()
    parked = await service.sending.outbox.parked()
    depths: dict[str, dict[str, Depth]] = {}
    for name, specs in service.process.routes.queues.items():
        depths[name] = await _depths(service, name, [spec.name for spec in specs])
    items = []
    messages = service.process.registry.messages
    for target in service.fleet.pausing.targets:
        depth = depths[target.transport].get(target.queue, Depth())
        pause = _pause(service, pauses, target)
        taking = [worker for worker in workers if target.type in worker.types]
        lagging = [worker.id for worker in taking if worker.applied_version < pauses.version]
        items.append(
            {
                "type": target.type,
                "kind": target.kind,
                "transport": target.transport,
                "queue": target.queue,
                "paused": pause is not None,
                "pause": None if pause is None else _shown(pause),
                "applied": f"{len(taking) - len(lagging)}/{len(taking)}",
                "lagging": lagging,
                "ready": depth.ready,
                "in_flight": depth.in_flight,
                "delayed": _sum(depth.delayed, parked.get((target.transport, target.queue), 0)),
                "consumers": depth.consumers,
                "oldest_age": None if depth.oldest_age is None else round(depth.oldest_age, 3),
                "positions": [msgspec.structs.asdict(one) for one in depth.positions] or None,
                "failed": await service.state.failures.count(
                    Filter(type=target.type, aliases=messages[target.type].aliases)
                ),
            }
        )
    return {
        "version": pauses.version,
        "workers": _workers(workers),
        "exclusive": _exclusive(pauses, service.state.database.time()),
        "consumers": items,
    }


def _exclusive(pauses: Pauses, now: float) -> dict[str, Any] | None:
    """The exclusive command for which all others wait."""
    exclusive = pauses.exclusive
    if exclusive is None or exclusive.until <= now:
        return None
    return {"type": exclusive.type, "worker": exclusive.worker, "since": timestamp(exclusive.since)}


def _workers(workers: Sequence[Heartbeat]) -> list[dict[str, Any]]:
    return [
        {
            "id": worker.id,
            "host": worker.host,
            "pid": worker.pid,
            "started_at": timestamp(worker.started_at),
            "seen_at": timestamp(worker.seen_at),
            "applied_version": worker.applied_version,
            "types": list(worker.types),
            "troubles": list(worker.troubles),
        }
        for worker in workers
    ]


def _sum(delayed: int | None, parked: int) -> int | None:
    """Add those that wait here for their broker; what the broker cannot tell stays unknown."""
    return None if delayed is None else delayed + parked


def _pause(service: Service, pauses: Pauses, target: Target) -> Pause | None:
    """Why a type is paused: it is itself, or one that shares its queue. Its times are those that people know."""
    now, shown = service.state.database.time(), service.state.database.time.shown
    for mate in (target, *service.fleet.pausing.mates(target)):
        found = pauses.of(mate, now)
        if found is not None:
            until = None if found.until is None else shown(found.until)
            return msgspec.structs.replace(found, since=shown(found.since), until=until)
    return None


def _shown(pause: Pause) -> dict[str, Any]:
    return {
        "reason": pause.reason,
        "actor": pause.actor,
        "since": timestamp(pause.since),
        "until": None if pause.until is None else timestamp(pause.until),
    }


async def _depths(service: Service, name: str, queues: list[str]) -> dict[str, Depth]:
    transport: object = service.brokers.transports.get(name)  # None: not connected
    if transport is None or not isinstance(transport, Countable):
        return {}
    try:
        return dict(await transport.depth(queues))
    except Unavailable:
        return {}
