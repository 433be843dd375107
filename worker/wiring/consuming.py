"""Makes the consumer process's worker out of a service."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from fnmatch import fnmatchcase

from worker.errors import ConfigurationError
from worker.messaging.middleware import CallNext
from worker.messaging.retry import Retry
from worker.messaging.routing import Routes
from worker.messaging.transport import QueueSpec, Transport
from worker.runtime.deadly.cell import Cell
from worker.runtime.deadly.quarantine import Quarantine
from worker.runtime.holding.breakers import Breakers, Strain
from worker.runtime.holding.control import Control
from worker.runtime.holding.ramp import RampPolicy
from worker.runtime.holding.ramps import Ramps
from worker.runtime.limits import Limits
from worker.runtime.options import ConsumeOptions
from worker.runtime.processing import Processing
from worker.runtime.settling.settlement import Settler
from worker.runtime.taking.consumer import RECEIVE_WAIT, Consumer
from worker.runtime.worker import Worker
from worker.settings import Settings
from worker.state.breakers import SqlBreakers
from worker.wiring.health import answers
from worker.wiring.service import Service

_BURST_WAIT = 0.05


AsksWorker = Callable[[str, tuple[Strain, ...]], Awaitable[bool]]
"""Asks whether a message is not charged with its failures."""


def make_worker(service: Service, options: ConsumeOptions, *, asks: AsksWorker | None = None) -> Worker:
    """Make a worker for the queues that the options choose; one in a cell ``asks`` its own, and trusts every message.

    Raises:
        ConfigurationError: a transport, queue or type is not known, or the memory limit is passed already.
    """
    loop = asyncio.get_running_loop()
    chosen = choose(service.process.routes, options)
    types = [name for _, spec, _ in chosen for name in spec.types]
    process, state, sending = service.process, service.state, service.sending
    breakers = Breakers(
        process.registry, SqlBreakers(state.database), process.name, types, state.database.time
    )
    settler = Settler(
        process.registry,
        sending.serializer,
        sending.senders,
        state.failures,
        retry_policy(process.settings),
        process.name,
        process.clock,
        random.random,
        breakers.failed if asks is None else lambda named, failures: asks(named, breakers.strains(failures)),
        lambda: answers(service),
    )
    limits = Limits(options, loop.time)
    limits.check_start()
    processing = Processing(
        registry=process.registry,
        serializer=sending.serializer,
        settler=settler,
        status=service.status.recorder,
        failures=state.failures,
        limits=limits,
        clock=process.clock,
        observer=process.observer,
        succeeded=breakers.succeeded if breakers.any and asks is None else None,
    )
    worker = Worker(processing.handle, slots=options.concurrency, limits=limits, pending=sending.outbox.count)
    worker.breakers = breakers
    if asks is None:
        worker.quarantine = processing.quarantine = _quarantine(service, options, processing, breakers)
    worker.add([_consumer(service, worker, name, spec, rank, options) for name, spec, rank in chosen])
    return worker


def _quarantine(
    service: Service, options: ConsumeOptions, processing: Processing, breakers: Breakers
) -> Quarantine:
    # what is sent from a cell reaches others over what processes share only
    shared = all(transport.features.shared for transport in service.brokers.transports.values())
    return Quarantine(
        processing,
        service.state.suspects,
        Cell(options.cell, service.process.name) if options.cell and shared else None,
        service.fleet.solitude,
        breakers.strained,
        service.fleet.gate,
        service.process.name,
        service.process.clock,
        patient=options.burst,
    )


def make_control(service: Service, worker: Worker) -> Control:
    """Make what keeps a worker as the stored pauses want it."""
    types = tuple(dict.fromkeys(name for consumer in worker.consumers for name in consumer.types))
    targets = {
        consumer: [
            target
            for target in service.fleet.pausing.targets
            if (target.transport, target.queue) == (consumer.transport.name, consumer.spec.name)
        ]
        for consumer in worker.consumers
    }

    async def report() -> None:
        """Write the heartbeat."""
        await service.fleet.beat(
            types, control.applied, (*worker.troubles(), *service.buses.threads.troubles()), control.quiet
        )

    async def fleet() -> int:
        """Count the workers."""
        return len(await service.fleet.live())

    given = service.process.settings.ramp
    policy = RampPolicy(enabled=given.enabled, after=given.after, rate=given.rate, tolerance=given.tolerance)
    control = Control(
        service.fleet.pauses,
        worker.consumers,
        targets,
        service.fleet.gate,
        service.state.database.time,
        report,
        ramps=Ramps(policy, fleet),
        breakers=worker.breakers,
        observer=service.process.observer,
    )
    if worker.breakers is not None:
        worker.breakers.changed = control.nudge
    return control


def retry_policy(settings: Settings) -> Retry:
    """Make the default retry policy."""
    given = settings.retry
    return Retry(given.max_retries, given.delay, given.multiplier, given.max_delay, given.jitter)


def choose(routes: Routes, options: ConsumeOptions) -> list[tuple[str, QueueSpec, int]]:
    """Pick the queues to consume: transport, queue and rank by the order they were named in.

    Raises:
        ConfigurationError: nothing is left, or a name is not known; all of them in one.
    """
    known = {spec.name for specs in routes.queues.values() for spec in specs}
    types = {name for specs in routes.queues.values() for spec in specs for name in spec.types}
    faults = [
        f"transport {name!r}: no message is routed to it; known: {', '.join(routes.queues) or 'none'}"
        for name in options.transports
        if name not in routes.queues
    ]
    for flag, given, there in (
        ("--queue", options.queues, known),
        ("--exclude-queue", options.exclude_queues, known),
        ("--type", options.types, types),
    ):
        faults += [
            f"{flag} {name!r}: matches nothing; known: {', '.join(sorted(there)) or 'none'}"
            for name in given
            if not _place(there, [name])
        ]
    if faults:
        raise ConfigurationError(faults)
    chosen = []
    for place, name in enumerate(dict.fromkeys(options.transports or routes.transports())):
        for spec in routes.queues[name]:
            rank = _rank(spec, options)
            if rank is not None:
                chosen.append((name, spec, (place if options.transports else 0) * 1000 + rank))
    if not chosen:
        raise ConfigurationError("no queue is left to consume")
    return chosen


def _rank(spec: QueueSpec, options: ConsumeOptions) -> int | None:
    """Place of a queue among those named; None when it is not wanted."""
    if any(fnmatchcase(spec.name, pattern) for pattern in options.exclude_queues):
        return None
    if options.types and not any(
        fnmatchcase(name, pattern) for name in spec.types for pattern in options.types
    ):
        return None
    if not options.queues:
        return 0
    return next(
        (place for place, pattern in enumerate(options.queues) if fnmatchcase(spec.name, pattern)), None
    )


def _place(there: set[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in there for pattern in patterns)


def _consumer(
    service: Service, worker: Worker, name: str, spec: QueueSpec, rank: int, options: ConsumeOptions
) -> Consumer:
    transport: Transport = service.brokers.transports[name]
    limits = [service.process.registry.messages[type_name].concurrency for type_name in spec.types]
    given = [limit for limit in limits if limit is not None]
    return Consumer(
        transport,
        spec,
        slots=options.concurrency,
        concurrency=min(given) if given else None,
        chains=_chains(service, name, spec),
        wake=worker.wake,
        room=worker.room,
        rank=rank,
        wait=_BURST_WAIT if options.burst else RECEIVE_WAIT,
        thorough=options.burst,
        observer=service.process.observer,
    )


def _chains(service: Service, transport: str, spec: QueueSpec) -> dict[str, CallNext]:
    """Compile the chain of each type for this queue; an event without subscribers has none to run."""
    facts = {"transport": transport, "queue": spec.name}
    chains = {}
    for type_name in spec.types:
        declared = service.process.registry.messages[type_name]
        chains[type_name] = service.buses.consume[declared.kind].compile(type_name, facts)
    return chains
