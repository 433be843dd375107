"""Whether the service lives, is ready and is healthy."""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import Response

from worker.http.documents import document
from worker.http.ports import Ports

log = structlog.stdlib.get_logger("worker.http")

_FRESH = {"Cache-Control": "no-store"}


class Health:
    """The endpoints for orchestrators and operators."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def live(self, request: Request) -> Response:
        """Always 200: nothing else is asked, since a broker's outage is no reason to restart the process."""
        return document(request, {"ready": True, "reasons": []}, headers=_FRESH)

    async def ready(self, request: Request) -> Response:
        """Whether it should be given requests; 503 with the reasons when not."""
        try:
            reasons = list(await self._ports.ready())
        except Exception:
            log.exception("readiness cannot be told")
            reasons = ["readiness cannot be told"]
        return document(request, {"ready": not reasons, "reasons": reasons}, 503 if reasons else 200, _FRESH)

    async def report(self, request: Request) -> Response:
        """The full report; 503 when something is not healthy."""
        report = await self._ports.health()
        return document(request, report, 200 if report.healthy else 503, _FRESH)

    async def ping(self, request: Request) -> Response:
        """What this service is, and where to read on."""
        title = self._ports.title or self._ports.registry.application
        links = {"documentation": "/docs", "openapi": "/openapi.json", "health": "/health"}
        return document(request, {"title": title, "version": self._ports.version, **links})
