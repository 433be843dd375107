"""The product as the commands see it: every call that they make to the composition root stands here.

Imports stand inside the methods: a command that needs no broker and no database must start without theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from worker.application.app import App
from worker.chain.chain import Chain
from worker.chain.declared import DeclaredAction, DeclaredStep
from worker.errors import ConfigurationError
from worker.messaging.declaration import Registry
from worker.messaging.routing import Routes
from worker.resources.declared import DeclaredResource
from worker.runtime.options import ConsumeOptions, ScheduleOptions, ServeOptions
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.http.endpoint import Endpoint
    from worker.wiring.console import Console


class Product:
    """What the commands ask of the rest of the product; tests put a fake in its place."""

    def load_app(self, target: str, base: Path) -> App:
        """Import the application that ``module:attribute`` names."""
        from worker.wiring.application import load_app

        return load_app(target, base)

    def registry_of(self, app: App, settings: Settings) -> Registry:
        """Check the application's declarations, with the plugins that the settings enable."""
        from worker.wiring.plugins import registry_of

        return registry_of(app, settings)

    async def consume(self, settings: Settings, registry: Registry, options: ConsumeOptions) -> int:
        """Run a consumer until it is stopped or done; return the exit code."""
        from worker.wiring.programs.consume import consume

        return await consume(settings, registry, options)

    async def serve(self, settings: Settings, registry: Registry, options: ServeOptions) -> int:
        """Run the intake until it is stopped; return the exit code."""
        from worker.wiring.programs.serve import serve

        return await serve(settings, registry, options)

    async def run(
        self, settings: Settings, registry: Registry, serve: ServeOptions, consume: ConsumeOptions
    ) -> int:
        """Run intake, consumer and scheduler in one process until stopped; return the exit code."""
        from worker.wiring.programs.run import run

        return await run(settings, registry, serve, consume)

    async def schedule(self, settings: Settings, registry: Registry, options: ScheduleOptions) -> int:
        """Fire schedules until stopped; return the exit code."""
        from worker.wiring.programs.schedule import schedule

        return await schedule(settings, registry, options)

    def supervise(
        self, arguments: Sequence[str], processes: int, graceful_timeout: float, *, once: bool
    ) -> int:
        """Run ``worker`` with these arguments in several processes; ``once``: until each ends by itself with 0."""
        from worker.runtime.process.supervisor import Supervisor, command_line

        return Supervisor(command_line(arguments), processes, graceful_timeout, once=once).run()

    def check_address(
        self, settings: Settings, registry: Registry, options: ServeOptions, processes: int
    ) -> None:
        """Refuse an address that others can reach, as long as there are no tokens, and one for several that is taken.

        Raises:
            ConfigurationError: it is not this machine's own, nor one of a container that may listen there; or it is in use.
            DatabaseUnavailable: it does not tell whether tokens are in use.
        """
        from worker.wiring.serving.admission import admitted

        try:
            admitted(
                options.host, trust_gateway=options.trust_gateway, tokens=bool(settings.tokens.secrets())
            )
        except ConfigurationError:
            if not asyncio.run(self._tokens_in_use(settings, registry)):
                raise
        if processes > 1:  # they share it with whatever shares; one alone finds out by itself
            from worker.wiring.serving.binding import check_free

            check_free(options.host, options.port)

    async def _tokens_in_use(self, settings: Settings, registry: Registry) -> bool:
        """Whether a token is stored, or has ever been; a database that is not made yet holds none."""
        from worker.state.database import Database
        from worker.state.tokens import SqlTokens

        database = Database(settings.database.url, base=settings.base, application=registry.application)
        try:
            await database.connect(settings.worker.connect_timeout, create=False)
            return not await database.missing() and await SqlTokens(database).in_use()
        finally:
            await database.close()

    def client(
        self,
        settings: Settings,
        registry: Registry,
        *,
        tables: Literal["create", "require", "ignore"] = "require",
        queues: bool = True,
        transports: Collection[str] | None = None,
        absent: bool = False,
    ) -> AbstractAsyncContextManager[Console]:
        """Open what a short command needs.

        ``tables``: what it does about missing tables; ``queues``: whether it also needs the queues to be there; ``transports``: those that it needs, None for
        all; ``absent``: it can do without those that do not answer.
        """
        from worker.wiring.console import console

        return console(settings, registry, tables=tables, queues=queues, transports=transports, absent=absent)

    def action_chain(self, registry: Registry, action: DeclaredAction) -> Chain[Any]:
        """Order the steps of an action, built-in ones too; nothing is made."""
        if action.built_in:
            from worker.resources.outline import outline

            return outline(registry, action)
        from worker.chain.actions import chain_of

        return chain_of(action, registry.entries_of(DeclaredStep))

    async def setup(self, settings: Settings, registry: Registry) -> list[str]:
        """Create missing tables and queues; name what was created."""
        created = await self.missing_tables(settings)
        async with self.client(
            settings, registry, tables="create", queues=False
        ) as client:  # creates the tables
            return [*created, *await client.setup()]

    async def missing_tables(self, settings: Settings) -> list[str]:
        """Name what is missing in the database."""
        from worker.state.database import Database

        database = Database(settings.database.url, base=settings.base)
        try:
            await database.connect(settings.worker.connect_timeout, create=False)
            return list(await database.missing())
        finally:
            await database.close()

    def routes(self, settings: Settings, registry: Registry) -> Routes:
        """Say where each type goes, without asking a broker.

        Raises:
            ConfigurationError: a type without route, or routed to what is not configured.
        """
        from worker.wiring.parts.process import routes_of

        return routes_of(settings, registry)

    def check_endpoints(self, settings: Settings, registry: Registry) -> None:
        """Make what the intake would answer, where resources are part of it.

        Raises:
            ConfigurationError: something of a resource cannot be meant; with every fault.
        """
        if registry.entries_of(DeclaredResource):
            self.endpoints(settings, registry)

    def endpoints(self, settings: Settings, registry: Registry) -> tuple[Endpoint, ...]:
        """Make the endpoints of the intake, without connecting to anything.

        Raises:
            ConfigurationError: something of a resource cannot be meant; with every fault.
        """
        from worker.http.endpoints import endpoints_with
        from worker.http.resources.endpoints import resource_endpoints
        from worker.wiring.described import described_resources

        resources = described_resources(registry, settings)
        return endpoints_with(resource_endpoints(resources, registry, registry.application))

    def openapi(self, settings: Settings, registry: Registry) -> dict[str, Any]:
        """Make the OpenAPI document of the intake."""
        from worker.http.openapi.document import openapi

        routes = self.routes(settings, registry).by_type
        endpoints = self.endpoints(settings, registry)
        return openapi(endpoints, registry, inline=lambda message: routes[message.name].transport is None)
