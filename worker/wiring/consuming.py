"""The consumers of a process: what takes messages from queues and handles them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from worker.messaging.middleware import CallNext
from worker.messaging.retry import Retry
from worker.messaging.transport import QueueSpec, Transport
from worker.runtime.deadly.cell import Cell
from worker.runtime.deadly.quarantine import Quarantine, Work
from worker.runtime.holding.breakers import BreakerFailure, Breakers
from worker.runtime.holding.control import Control
from worker.runtime.holding.ramp import RampPolicy
from worker.runtime.holding.ramps import Ramps
from worker.runtime.limits import Limits
from worker.runtime.options import ConsumeOptions
from worker.runtime.process.beginning import Beginning
from worker.runtime.processing import Processing
from worker.runtime.progress import Progress
from worker.runtime.settling.judge import Judge
from worker.runtime.taking.consumer import RECEIVE_WAIT, Consumer
from worker.runtime.worker import Worker
from worker.settings import Settings
from worker.state.breakers import SqlBreakers
from worker.wiring.choosing import choose
from worker.wiring.service import Service

_BURST_WAIT = 0.05
_CLOSING = 1.0
"""Seconds that a queue gets to take back what was prefetched, when the worker has ended."""

AsksWorker = Callable[[str, tuple[BreakerFailure, ...]], Awaitable[bool]]
"""Asks whether a message is not charged with its failures."""


class Consumers(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What takes messages from queues and handles them.

    Attributes:
        worker: takes, handles and settles.
        control: keeps the worker as the stored pauses want it.
        breakers: of the handlers.
        quarantine: handles what was in hand when a worker died; None in a cell, which trusts every message.
    """

    worker: Worker
    control: Control
    breakers: Breakers
    quarantine: Quarantine | None

    async def close(self) -> None:
        """Let go of the queues; for the time after the worker has ended."""
        await self.breakers.close()
        for consumer in self.worker.consumers:
            await consumer.close(_CLOSING)
        if self.quarantine is not None:
            await self.quarantine.close()


def make_consumers(
    service: Service,
    options: ConsumeOptions,
    *,
    asks: AsksWorker | None = None,
    on_stop: Callable[[], object] = lambda: None,
) -> Consumers:
    """Make what consumes the queues that the options choose; nothing is opened yet.

    Args:
        service: opened.
        options: checked.
        asks: given in a cell, which asks its worker about failures, and trusts every message.
        on_stop: called the moment the worker is to stop.

    Raises:
        ConfigurationError: a transport, queue or type is not known, or the memory limit is passed already.
    """
    process, state, sending = service.process, service.state, service.sending
    chosen = choose(process.routes, options)
    types = [name for _, spec, _ in chosen for name in spec.types]
    nudged = asyncio.Event()
    breakers = Breakers(
        process.registry, SqlBreakers(state.database), process.name, types, state.database.time, nudged.set
    )
    judge = Judge(
        process.registry,
        sending.serializer,
        sending.senders,
        state.failures,
        _retry_policy(process.settings),
        process.name,
        process.clock,
        process.machine.chance,
        breakers.failed if asks is None else lambda named, failures: asks(named, breakers.failures(failures)),
        service.health.answers,
    )
    limits = Limits(options, asyncio.get_running_loop().time)
    limits.check_start()
    processing = Processing(
        registry=process.registry,
        serializer=sending.serializer,
        judge=judge,
        progress=Progress(process.registry, service.status.recorder, process.clock),
        failures=state.failures,
        limits=limits,
        observer=process.observer,
        succeeded=breakers.succeeded if breakers.any and asks is None else None,
        quarantine=None if asks is not None else lambda work: _quarantine(service, options, work, breakers),
    )
    worker = Worker(
        processing.handle,
        slots=options.concurrency,
        limits=limits,
        pending=partial(sending.outbox.count, list(sending.senders)),  # what others send is not waited for
        on_stop=on_stop,
    )
    worker.add([_consumer(service, worker, name, spec, rank, options) for name, spec, rank in chosen])
    return Consumers(
        worker=worker,
        control=_control(service, worker, breakers, nudged),
        breakers=breakers,
        quarantine=processing.quarantine,
    )


def _quarantine(service: Service, options: ConsumeOptions, work: Work, breakers: Breakers) -> Quarantine:
    # what is sent from a cell reaches others over what processes share only
    shared = all(transport.features.shared for transport in service.brokers.transports.values())
    return Quarantine(
        work,
        service.state.suspects,
        Cell(options.cell, service.process.name, Beginning.now()) if options.cell and shared else None,
        service.fleet.exclusivity,
        breakers.note,
        service.fleet.paused,
        service.process.name,
        service.process.clock,
        patient=options.burst,
    )


def _control(service: Service, worker: Worker, breakers: Breakers, nudged: asyncio.Event) -> Control:
    fleet = service.fleet
    types = tuple(dict.fromkeys(name for consumer in worker.consumers for name in consumer.types))
    targets = {
        consumer: [
            target
            for target in fleet.pausing.targets
            if (target.transport, target.queue) == (consumer.transport.name, consumer.spec.name)
        ]
        for consumer in worker.consumers
    }

    async def report() -> None:
        """Write the heartbeat."""
        await fleet.beat(
            types, control.applied, (*worker.troubles(), *service.buses.threads.troubles()), control.quiet
        )

    async def workers() -> int:
        """Count the workers."""
        return len(await fleet.live())

    given = service.process.settings.ramp
    policy = RampPolicy(enabled=given.enabled, after=given.after, rate=given.rate, tolerance=given.tolerance)
    control = Control(
        fleet.pauses,
        worker.consumers,
        targets,
        fleet.paused,
        service.state.database.time,
        report,
        ramps=Ramps(policy, workers),
        breakers=breakers,
        observer=service.process.observer,
        nudged=nudged,
    )
    return control


def _retry_policy(settings: Settings) -> Retry:
    """The policy of types that declare none."""
    given = settings.retry
    return Retry(given.max_retries, given.delay, given.multiplier, given.max_delay, given.jitter)


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
