"""What an intake asks of its service: the ports of the HTTP application, each with the part behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

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
from worker.wiring.consumers_document import consumers_document
from worker.wiring.service import Service
from worker.wiring.serving.outward import Outward, with_cut_troubles


def intake_ports(service: Service, host: str, admitted: Sequence[str], stopping: asyncio.Event) -> Ports:
    """Give an intake what it answers with.

    Args:
        service: opened.
        host: on which it listens.
        admitted: addresses of clients that may call beside this machine's own.
        stopping: set when it takes no more requests.
    """
    routes = service.buses.routes.by_type

    outward = Outward()

    async def report() -> HealthReport:
        """The health document, as it may go out."""
        found = await service.health.report()
        return replace(found, reasons=outward.reasons(found.reasons))

    async def ready() -> list[str]:
        """Why no request should come; nothing where all is well."""
        return outward.reasons([*await service.health.troubles(), *service.buses.threads.troubles()])

    async def fleet() -> dict[str, object]:
        """The consumers document, as it may go out."""
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
        callers=Callers(hosts=(host,), clients=admitted),
        tokens=service.tokens,
        stopping=stopping,
        clock=service.process.clock,
        entropy=service.process.machine.entropy,
        title=service.process.registry.application,
        resources=service.resources.all,
        after_commit=service.buses.emitter.handle_inline,
    )
