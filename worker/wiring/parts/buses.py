"""The buses part: what dispatches, what consumes, and what handlers emit through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, get_args

import msgspec
import structlog

from worker.chain.declared import DeclaredStep
from worker.messaging.bus import Bus
from worker.messaging.declaration import Kind, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.routing import Routes
from worker.messaging.stamps import Received
from worker.messaging.steady import monotonic_of
from worker.middleware.calling import Calling
from worker.middleware.caught import Caught
from worker.middleware.emit import Emitter
from worker.middleware.exclusive import Exclusive
from worker.middleware.handle import Handle
from worker.middleware.route import Route
from worker.middleware.surround import surround
from worker.middleware.track import Track
from worker.runtime.threads import Threads
from worker.state.unit_of_work import SqlUnitsOfWork
from worker.wiring.built_in import BuiltIn, with_built_in
from worker.wiring.chains import built_in, chain
from worker.wiring.parts.fleet import Fleet
from worker.wiring.parts.process import Process
from worker.wiring.parts.sending import Sending
from worker.wiring.parts.state import State
from worker.wiring.parts.status import Status

QUEUED: tuple[Kind, ...] = ("command", "event")


class Buses(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The buses by kind: ``dispatch`` takes what is new, ``consume`` what came from a queue.

    ``registry`` and ``routes`` have the product's own messages, too; ``threads`` are those that handlers run in that are
    plain functions; ``emitter`` takes what leaves with a commit.
    """

    registry: Registry
    routes: Routes
    dispatch: Mapping[Kind, Bus]
    consume: Mapping[Kind, Bus]
    threads: Threads
    emitter: Emitter


@asynccontextmanager
async def opened_buses(
    process: Process,
    state: State,
    sending: Sending,
    fleet: Fleet,
    status: Status,
    own_messages: Sequence[BuiltIn],
    dispatch: dict[Kind, Bus],
    threads: int | None,
) -> AsyncIterator[Buses]:
    """Wire the three buses.

    Args:
        process: whose application it is.
        state: where handlers store.
        sending: what takes messages to their queues.
        fleet: what is paused, and who runs alone.
        status: notes where commands stand.
        own_messages: the product's own, handled at once.
        dispatch: is filled with the buses that take what is new.
        threads: how many there are for handlers; None for as many as the settings' concurrency.

    Raises:
        ConfigurationError: the application declares a message with the name of a built-in one.
    """
    settings, clock = process.settings, process.clock
    registry, routes = with_built_in(process.registry, process.routes, own_messages)
    works = SqlUnitsOfWork(state.database, state.inbox, process.name, committed=sending.relay.notify)
    pool = Threads(threads or settings.worker.concurrency)
    emitter = Emitter(registry, dispatch, sending.senders, clock)
    caught = Caught(emitter) if settings.events.deliver_on_error else None
    calling = Calling(emitter, works, pool, monotonic_of(clock), log_of, fleet.paused, caught)
    handle = Handle(registry, calling)
    route = Route(
        registry,
        routes.by_type,
        sending.senders,
        sending.serializer,
        ignore_events=settings.events.mode == "ignore",
    )
    sent = {"on": "dispatch", "bus": "|".join(QUEUED)}
    own = [
        built_in("route", route, -20, sent),
        built_in("handle", handle, -30),
    ]
    if status.recorder is not None:
        own.append(built_in("track", Track(registry, status.recorder, clock), 0, sent))
    alone = "|".join(message.name for message in registry.messages.values() if message.exclusive)
    if alone:
        own.append(built_in("exclusive", Exclusive(fleet.exclusivity), -10, {"on": "consume", "type": alone}))
    if any(one.step.plugin is not None for one in registry.entries_of(DeclaredStep)):
        own.append(built_in("surround", surround, 10))
    steps = chain(registry, own)
    for kind in get_args(Kind):
        dispatch[kind] = Bus(kind, "dispatch", registry, steps, clock, process.machine.entropy)
    consume = {kind: Bus(kind, "consume", registry, steps, clock, process.machine.entropy) for kind in QUEUED}
    try:
        yield Buses(
            registry=registry,
            routes=routes,
            dispatch=dispatch,
            consume=consume,
            threads=pool,
            emitter=emitter,
        )
    finally:
        pool.close()


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
