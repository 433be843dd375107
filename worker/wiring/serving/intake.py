"""The intake of a service: the HTTP application on its address."""

from __future__ import annotations

import asyncio

import structlog
from msgspec.structs import replace

from worker.http.app import create_app
from worker.http.ports import (
    Callers,
    ConsumerPorts,
    HealthPorts,
    MessagePorts,
    Ports,
    RepeatPorts,
    RequestLimits,
)
from worker.messaging.health import HealthReport
from worker.runtime.options import ServeOptions
from worker.runtime.process.readiness import tell_ready
from worker.wiring.consumers_document import consumers_document
from worker.wiring.service import Service
from worker.wiring.serving.admission import admitted
from worker.wiring.serving.outward import Outward, with_cut_troubles
from worker.wiring.serving.server import Server

log = structlog.stdlib.get_logger("worker.intake")


class Intake:
    """Takes commands and queries over HTTP.

    Args:
        service: opened.
        options: where to listen.

    Raises:
        ConfigurationError: the address is not a loopback one, while tokens are not in use, or cannot be bound.
    """

    def __init__(self, service: Service, options: ServeOptions) -> None:
        self._admitted = admitted(
            options.host, trust_gateway=options.trust_gateway, tokens=service.tokens.in_use
        )
        self._service = service
        self._options = options
        self._stopping = asyncio.Event()
        self._server = Server(create_app(self._ports()), options.host, options.port, options.graceful_timeout)

    def stop(self, reason: str = "stopped") -> None:
        """Take no more requests, and answer those that wait for something."""
        self._stopping.set()
        self._server.stop()

    async def run(self) -> None:
        """Serve until stopped."""
        log.info(
            "intake listens",
            url=f"http://{self._options.host}:{self._server.port}",
            access=self._whom(),
        )
        tell_ready()
        watching = asyncio.create_task(self._service.tokens.watch())
        try:
            await self._server.run()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        log.info("intake stopped")

    def _whom(self) -> str:
        if self._service.tokens.in_use:
            return "whoever shows a token"
        whom = " and ".join(["loopback", *(f"the gateway {address}" for address in self._admitted)])
        return f"{whom} only: there is no token"

    def _ports(self) -> Ports:
        service = self._service
        routes = service.buses.routes.by_type

        outward = Outward()

        async def report() -> HealthReport:
            found = await service.health.report()
            return replace(found, reasons=outward.reasons(found.reasons))

        async def ready() -> list[str]:
            return outward.reasons([*await service.health.troubles(), *service.buses.threads.troubles()])

        async def fleet() -> dict[str, object]:
            return with_cut_troubles(await consumers_document(service))

        settings = service.process.settings
        return Ports(
            registry=service.process.registry,
            messages=MessagePorts(
                own={
                    name: declared
                    for name, declared in service.buses.registry.by_name.items()
                    if name not in service.process.registry.by_name
                },
                command_bus=service.buses.dispatch["command"],
                query_bus=service.buses.dispatch["query"],
                inline=lambda message: routes[message.name].transport is None,
                tracked=lambda message: message.track and settings.status.track,
            ),
            repeats=RepeatPorts(store=service.state.idempotency),
            status=service.status.standing,
            failed=service.failed,
            health=HealthPorts(report=report, ready=ready),
            consumers=ConsumerPorts(document=fleet, applied=service.fleet.pausing.until_applied),
            schedules=service.schedules,
            limits=RequestLimits(
                max_body=settings.http.max_body,
                max_batch=settings.http.max_batch,
                max_wait=settings.http.max_wait,
            ),
            callers=Callers(hosts=(self._options.host,), clients=self._admitted),
            tokens=service.tokens,
            stopping=self._stopping,
            clock=service.process.clock,
            entropy=service.process.machine.entropy,
            title=service.process.registry.application,
            resources=service.resources.all,
            after_commit=service.buses.emitter.handle_inline,
        )
