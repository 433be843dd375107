"""The probes of a consumer process, served on ``--health-port``."""

from __future__ import annotations

from msgspec.structs import replace

from worker.http.access import Access
from worker.http.authentication import Authentication
from worker.http.probes import create_probes
from worker.messaging.health import HealthReport
from worker.wiring.consuming import Consumers
from worker.wiring.programs.background import background
from worker.wiring.service import Service
from worker.wiring.serving.outward import Outward
from worker.wiring.serving.server import Server


class Probes:
    """Health documents of a worker: what it needs, and whether each queue's broker answers it."""

    def __init__(self, service: Service, consumers: Consumers, port: int) -> None:
        self._service = service
        self._worker = consumers.worker
        self._control = consumers.control
        self._outward, self._readily = Outward(), Outward()
        authentication = Authentication(Access(), service.tokens, service.process.clock)
        probes = create_probes(self._health, self._ready, authentication)
        self._server = Server(probes, "127.0.0.1", port, 1.0)

    async def run(self) -> None:
        """Serve until cancelled."""
        async with background(self._service.tokens.watch):
            await self._server.run()

    async def _health(self) -> HealthReport:
        found = await self._service.health.report()
        queues = {f"queue.{c.spec.name}": c.trouble is None for c in self._worker.consumers}
        return replace(
            found,
            healthy=found.healthy and all(queues.values()),
            status={**found.status, **queues},
            reasons=self._outward.reasons([*found.reasons, *self._troubles()]),
        )

    def _troubles(self) -> tuple[str, ...]:
        return (*self._worker.troubles(), *self._service.buses.threads.troubles())

    async def _ready(self) -> list[str]:
        stopping = ["stopping"] if self._worker.stopping else []
        whole = [*await self._service.health.troubles(), *self._control.reasons, *self._troubles()]
        return [*stopping, *self._readily.reasons(whole)]
