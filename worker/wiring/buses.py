"""Makes the buses of a service: what dispatches, what consumes, and what handlers emit through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from worker.chain.chain import Step
from worker.chain.conditions import parse_all
from worker.messaging.bus import Bus
from worker.messaging.declaration import Kind, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.gate import Gate
from worker.messaging.identity import Clock
from worker.messaging.middleware import Middleware
from worker.messaging.routing import Routes
from worker.messaging.sender import Sender
from worker.messaging.serializer import Serializer
from worker.messaging.solitude import Solitude
from worker.messaging.stamps import Received
from worker.messaging.status import StatusRecorder
from worker.messaging.steady import monotonic_of
from worker.messaging.unit_of_work import UnitsOfWork
from worker.middleware.calling import Calling, Threads
from worker.middleware.emit import Emitter
from worker.middleware.exclusive import Exclusive
from worker.middleware.handle import Handle
from worker.middleware.route import Route
from worker.middleware.track import Track
from worker.wiring.chains import bus, chain

QUEUED: tuple[Kind, ...] = ("command", "event")


class Buses(msgspec.Struct, frozen=True, eq=False):
    """The buses by kind: ``dispatch`` takes what is new, ``consume`` what came from a queue."""

    dispatch: Mapping[Kind, Bus]
    consume: Mapping[Kind, Bus]


def make_buses(
    registry: Registry,
    routes: Routes,
    senders: Mapping[str, Sender],
    serializer: Serializer,
    *,
    works: UnitsOfWork | None,
    status: StatusRecorder | None,
    threads: Threads,
    clock: Clock,
    gate: Gate,
    solitude: Solitude,
    ignore_events: bool = False,
) -> Buses:
    """Wire the three buses; see the parts for their arguments."""
    dispatch: dict[Kind, Bus] = {}
    emitter = Emitter(registry, dispatch, senders, clock)
    handle = Handle(registry, Calling(emitter, works, threads, monotonic_of(clock), log_of, gate))
    route = Route(registry, routes.by_type, senders, serializer, ignore_events=ignore_events)
    track: list[Step[Middleware]] = []
    if status is not None:
        track.append(Step("worker.track", Track(registry, status, clock)))
    last: list[Step[Middleware]] = [Step("worker.handle", handle)]
    queued = chain(registry, track, [Step("worker.route", route), *last])
    alone = [message.name for message in registry.messages.values() if message.exclusive]
    first: list[Step[Middleware]] = []
    if alone:
        when = parse_all({"type": "|".join(alone)})
        first.append(Step("worker.exclusive", Exclusive(solitude), when=when))
    consumed = chain(registry, (), [*first, *last], received=True)
    for kind in QUEUED:
        dispatch[kind] = bus(kind, "dispatch", registry, queued, clock)
    dispatch["query"] = bus("query", "dispatch", registry, consumed, clock)
    return Buses(dispatch, {kind: bus(kind, "consume", registry, consumed, clock) for kind in QUEUED})


def log_of(envelope: Envelope[Any]) -> Any:
    """Bind a logger to what an envelope is."""
    received = envelope.get(Received)
    return structlog.stdlib.get_logger("handler").bind(
        type=envelope.type,
        id=envelope.id,
        correlation_id=envelope.correlation_id or envelope.id,
        attempt=envelope.attempt,
        transport=received.transport if received else None,
        queue=received.queue if received else None,
    )
