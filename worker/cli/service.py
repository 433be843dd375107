"""The door to the composition root: every call that the commands make to it stands here.

Imports stand inside the methods: a command that needs no broker and no database must start without theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.messaging.app import App
from worker.messaging.declaration import Registry
from worker.runtime.options import ConsumeOptions, ServeOptions
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.wiring.client import Client


class Service:
    """What the commands ask of the rest of the product; tests put a fake in its place."""

    def load_app(self, target: str, base: Path) -> App:
        """Import the application that ``module:attribute`` names."""
        from worker.wiring.application import load_app

        return load_app(target, base)

    async def consume(self, settings: Settings, registry: Registry, options: ConsumeOptions) -> int:
        """Run a consumer until it is stopped or done; return the exit code."""
        from worker.wiring.programs import consume

        return await consume(settings, registry, options)

    async def serve(self, settings: Settings, registry: Registry, options: ServeOptions) -> int:
        """Run the intake until it is stopped; return the exit code."""
        from worker.wiring.programs import serve

        return await serve(settings, registry, options)

    async def run(
        self, settings: Settings, registry: Registry, serve: ServeOptions, consume: ConsumeOptions
    ) -> int:
        """Run intake and consumer in one process until stopped; return the exit code."""
        from worker.wiring.programs import run

        return await run(settings, registry, serve, consume)

    def supervise(self, arguments: Sequence[str], processes: int, graceful_timeout: float, *, once: bool) -> int:
        """Run ``worker`` with these arguments in several processes; ``once``: until each ends by itself with 0."""
        from worker.runtime.supervisor import Supervisor, command_line

        return Supervisor(command_line(arguments), processes, graceful_timeout, once=once).run()

    def client(
        self, settings: Settings, registry: Registry, *, transports: Sequence[str] | None = None, setup: bool = True
    ) -> AbstractAsyncContextManager[Client]:
        """Open what a short command needs: buses, failure store, status. ``transports``: only these."""
        from worker.wiring.client import client

        return client(settings, registry, transports=transports, setup=setup)

    def openapi(self, settings: Settings, registry: Registry) -> dict[str, Any]:
        """Make the OpenAPI document of the intake."""
        from worker.http.schema import openapi

        return openapi(registry)
