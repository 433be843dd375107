"""A service: one process's settings, application, database, brokers and buses, opened together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from worker.failed.service import FailedService
from worker.messaging.bus import Bus
from worker.messaging.declaration import Kind, Registry
from worker.messaging.exclusive import Exclusivity
from worker.messaging.identity import Clock
from worker.messaging.machine import Machine
from worker.messaging.observing import Observer
from worker.runtime.process.machine import this_machine
from worker.settings import Settings
from worker.wiring.answering import Answering
from worker.wiring.built_in import BuiltIn
from worker.wiring.parts.brokers import Brokers, opened_brokers
from worker.wiring.parts.buses import Buses, opened_buses
from worker.wiring.parts.documents import opened_documents
from worker.wiring.parts.failed import opened_failed
from worker.wiring.parts.fleet import Fleet, opened_fleet
from worker.wiring.parts.health import Health, opened_health
from worker.wiring.parts.needs import EVERYTHING, Needs
from worker.wiring.parts.process import Process, make_process
from worker.wiring.parts.pruning import Prunes
from worker.wiring.parts.resources import Resources, opened_resources
from worker.wiring.parts.schedules import Schedules, opened_schedules
from worker.wiring.parts.sending import Sending, opened_sending
from worker.wiring.parts.state import State, opened_state
from worker.wiring.parts.status import Status, opened_status
from worker.wiring.parts.tokens import Tokens, opened_tokens


class Service(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """All parts of a running process; made by ``opened``."""

    process: Process
    state: State
    brokers: Brokers
    health: Health
    sending: Sending
    fleet: Fleet
    status: Status
    tokens: Tokens
    buses: Buses
    failed: FailedService
    schedules: Schedules
    resources: Resources

    async def prune(self) -> None:
        """Let each part forget what is not needed any more.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        for name in self.__struct_fields__:
            part = getattr(self, name)
            if isinstance(part, Prunes):
                await part.prune(self.process.settings.status.keep)


@asynccontextmanager
async def opened(
    settings: Settings,
    registry: Registry,
    needs: Needs = EVERYTHING,
    *,
    clock: Clock | None = None,
    machine: Machine | None = None,
    name: str | None = None,
    observers: Sequence[Observer] = (),
    exclusivity: Exclusivity | None = None,
) -> AsyncIterator[Service]:
    """Open everything that a process needs, in this order, and close it in the reverse order.

    Args:
        settings: checked.
        registry: checked.
        needs: what must be there, and what is done about what is missing.
        clock: seconds since the epoch; None for the machine's.
        machine: on which it runs; None for this one.
        name: of this process among all workers; None for a new one.
        observers: hear what happens in this process.
        exclusivity: lets a message run alone in the fleet; None for what takes the lock in the database.

    Raises:
        ConfigurationError: something is missing and not created, or may not be created.
        Unavailable: database or broker did not answer within the connect timeout, or the database is read-only.
    """
    process = make_process(settings, registry, machine or this_machine(clock), name, observers)
    dispatch: dict[Kind, Bus] = {}
    async with (
        opened_state(process, needs) as state,
        opened_brokers(process, state, needs) as brokers,
        opened_documents(process, needs) as documents,
        opened_health(process, state, documents, brokers) as health,
        opened_sending(process, state, brokers) as sending,
        opened_fleet(process, state, exclusivity) as fleet,
        opened_status(process, state, brokers, sending, fleet) as status,
        opened_tokens(process, state, sending, dispatch, needs) as tokens,
        opened_buses(
            process,
            state,
            sending,
            fleet,
            status,
            _built_in(process, fleet, tokens, health),
            dispatch,
            needs.threads,
        ) as buses,
        opened_failed(process, state, sending, status) as failed,
        opened_schedules(process, state, sending, buses) as schedules,
        opened_resources(process, state, documents, sending, needs) as resources,
    ):
        yield Service(
            process=process,
            state=state,
            brokers=brokers,
            health=health,
            sending=sending,
            fleet=fleet,
            status=status,
            tokens=tokens,
            buses=buses,
            failed=failed,
            schedules=schedules,
            resources=resources,
        )


def _built_in(process: Process, fleet: Fleet, tokens: Tokens, health: Health) -> list[BuiltIn]:
    """Messages of the product's own, of every part that has some."""
    return [
        *fleet.pausing.messages(),
        *tokens.tokening.messages(),
        *Answering(health, process.registry).messages(),
    ]
