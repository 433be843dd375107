"""The console: a service opened for one call, which is what the command line's short commands work with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from worker.failed.service import FailedService
from worker.messaging.abilities import Requests
from worker.messaging.bus import Bus
from worker.messaging.declaration import Kind, MessageType, Registry
from worker.messaging.health import HealthReport
from worker.messaging.identity import Entropy
from worker.messaging.middleware import Side
from worker.messaging.pausing import Applied
from worker.messaging.routing import INLINE
from worker.messaging.status import StatusReader
from worker.settings import Settings
from worker.wiring.chains import BUILT_IN
from worker.wiring.connecting import create_queues, missing_queues
from worker.wiring.consumers_document import consumers_document
from worker.wiring.parts.brokers import NO_FILE
from worker.wiring.parts.needs import Needs, Tables
from worker.wiring.parts.schedules import Schedules
from worker.wiring.parts.tokens import Tokens
from worker.wiring.requests import requests
from worker.wiring.service import Service, opened

_FLUSH = 5.0


class Console:
    """Sends, looks and repairs. Bound to the loop that opened it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def registry(self) -> Registry:
        """What the application declares."""
        return self._service.process.registry

    @property
    def command_bus(self) -> Bus:
        """Takes commands."""
        return self._service.buses.dispatch["command"]

    @property
    def query_bus(self) -> Bus:
        """Answers queries."""
        return self._service.buses.dispatch["query"]

    @property
    def tokens(self) -> Tokens:
        """Tells what tokens there are."""
        return self._service.tokens

    @property
    def entropy(self) -> Entropy:
        """Gives random bytes, for secrets."""
        return self._service.process.machine.entropy

    @property
    def status(self) -> StatusReader:
        """Tells where commands stand."""
        return self._service.status.standing

    @property
    def schedules(self) -> Schedules:
        """The application's schedules."""
        return self._service.schedules

    async def flush(self) -> None:
        """Send what the outbox holds, as far as that can be done at once; the rest is sent by others."""
        await self._service.sending.relay.drain(_FLUSH)

    @property
    def failed(self) -> FailedService:
        """The failure store's service."""
        return self._service.failed

    def route_of(self, message: MessageType) -> str:
        """Name of the transport a type goes to, or ``inline``."""
        route = self._service.process.routes.by_type.get(message.name)
        return (route.transport if route else None) or INLINE

    def features(self) -> dict[str, Any]:
        """Features of each transport that is in use."""
        return {name: transport.features for name, transport in self._service.brokers.transports.items()}

    async def requests(self) -> dict[str, Requests]:
        """Requests made of each transport whose broker is paid by the request."""
        return await requests(self._service)

    async def consumers(self) -> dict[str, Any]:
        """The consumers document."""
        return await consumers_document(self._service)

    async def applied(self, version: int, seconds: float) -> Applied:
        """Wait, at most ``seconds``, until every worker that is alive has applied a version of the pauses."""
        return await self._service.fleet.pausing.until_applied(version, seconds)

    async def health(self) -> HealthReport:
        """The health document."""
        return await self._service.health.report()

    async def setup(self) -> list[str]:
        """Create what is missing and name it."""
        missing = await self.missing()
        await self._service.state.database.setup()
        await create_queues(self._service.brokers.transports, self._service.process.routes)
        return [*_tables(self._service.resources.tables.created), *missing]

    async def missing(self) -> list[str]:
        """Name what ``setup`` would create; what does not answer is left out."""
        service = self._service
        unmade = [name for name, why in service.brokers.absent.items() if why == NO_FILE]
        return [
            *await service.state.database.missing(),
            *await missing_queues(service.brokers.transports, service.process.routes),
            *(
                f"queue {spec.name} on {name}"
                for name in unmade
                for spec in service.process.routes.queues[name]
            ),
            *_tables(await service.resources.tables.missing()),
        ]

    async def faults(self) -> list[str]:
        """Say what is missing that ``setup`` does not create: tables without which nothing starts, transports of what waits."""
        service = self._service
        stranded: list[str] = []
        if service.state.database.there and not await service.state.database.missing():
            stranded = await service.sending.stranded(service.process.routes.transports())
        return [*await service.resources.tables.faults(), *stranded]

    def unmade(self) -> list[str]:
        """Parts of the health document that are files which are not made yet."""
        absent = self._service.brokers.absent.items()
        parts = [f"transport.{name}" for name, why in absent if why == NO_FILE]
        return parts if self._service.state.database.there else ["database", *parts]

    def bus_table(self) -> list[tuple[Kind, Side, list[str], int]]:
        """Of each bus and side: the groups of its chain, and how many steps can run there."""
        buses = self._service.buses
        sides: tuple[tuple[Side, Mapping[Kind, Bus]], ...] = (
            ("dispatch", buses.dispatch),
            ("consume", buses.consume),
        )
        return [
            (
                kind,
                side,
                list(bus.chain.groups),
                len(bus.chain.where({"kind": kind, "bus": kind, "on": side}).steps),
            )
            for side, by_kind in sides
            for kind, bus in by_kind.items()
        ]

    def chain_table(
        self, type_name: str, on: Side
    ) -> list[tuple[str, int, str | None, str, str, str | None]]:
        """Steps of a type's chain in order: name, priority, group, conditions, whose it is, and its plugin."""
        kind = self.registry.messages[type_name].kind
        buses = (
            self._service.buses.dispatch
            if on == "dispatch" or kind == "query"
            else self._service.buses.consume
        )
        bus = buses[kind]
        rows = []
        for step in bus.steps_for(type_name):
            when = ", ".join(f"{c.attribute}: {c.text}" for c in step.when)
            source = BUILT_IN if step.name.startswith("worker.") else "application"
            rows.append((step.name, step.priority, step.group, when, source, step.plugin))
        return rows


@asynccontextmanager
async def console(
    settings: Settings,
    registry: Registry,
    *,
    tables: Tables = "require",
    queues: bool = True,
    transports: Collection[str] | None = None,
    absent: bool = False,
) -> AsyncIterator[Console]:
    """Open a console.

    Args:
        settings: checked.
        registry: checked.
        tables: what is done about missing tables.
        queues: whether queues are looked at; short commands that send nothing leave them alone.
        transports: names of those to connect to, None for all; short commands need few or none.
        absent: go on without transports that do not answer.

    Raises:
        Unavailable: database or broker do not answer.
        ConfigurationError: something is missing and not created.
    """
    needs = Needs(tables=tables, queues=queues, transports=transports, absent=absent)
    async with opened(settings, registry, needs) as service:
        yield Console(service)


def _tables(names: Iterable[str]) -> list[str]:
    return [f"table {name}" for name in names]
