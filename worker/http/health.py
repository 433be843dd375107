"""Whether the service lives, is ready and is healthy; and what it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from worker.http import documents
from worker.http.answer import document
from worker.http.endpoint import Endpoint, Gives
from worker.http.ports import Ports
from worker.messaging.health import HealthReport

log = structlog.stdlib.get_logger("worker.http")

_FRESH = {"Cache-Control": "no-store"}


class Health:
    """Answers orchestrators and operators.

    Args:
        health: makes the health report.
        ready: reasons why the process should get no work now; none when it should.
    """

    def __init__(
        self, health: Callable[[], Awaitable[HealthReport]], ready: Callable[[], Awaitable[list[str]]]
    ) -> None:
        self._health = health
        self._ready = ready

    async def live(self, request: Request) -> Response:
        """Always 200: nothing else is asked, since a broker's outage is no reason to restart the process."""
        return document(request, {"ready": True, "reasons": []}, headers=_FRESH)

    async def ready(self, request: Request) -> Response:
        """Whether it should get work; 503 with the reasons when not."""
        try:
            reasons = list(await self._ready())
        except Exception:
            log.exception("readiness cannot be told")
            reasons = ["readiness cannot be told"]
        return document(request, {"ready": not reasons, "reasons": reasons}, 503 if reasons else 200, _FRESH)

    async def report(self, request: Request) -> Response:
        """The full report; 503 when something is not healthy."""
        report = await self._health()
        return document(request, report, 200 if report.healthy else 503, _FRESH)


class About:
    """What this service is, and where to read on."""

    def __init__(self, ports: Ports) -> None:
        title = ports.title or ports.registry.application
        links = {"documentation": "/docs", "openapi": "/openapi.json", "health": "/health"}
        self._document = {"title": title, "version": ports.version, **links}

    async def __call__(self, request: Request) -> Response:
        """Answer with it; a HEAD is a ping."""
        return document(request, self._document)


def _health(ports: Ports) -> Health:
    return Health(ports.health.report, ports.health.ready)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/",
        "health",
        About,
        id="get_root",
        tag="service",
        summary="What this service is; HEAD is a ping",
        any_query=True,
        gives={200: Gives("It is so.", documents.Root)},
    ),
    Endpoint(
        "GET",
        "/health",
        "health",
        lambda ports: _health(ports).report,
        id="get_health",
        tag="service",
        summary="The full health report",
        gives={200: Gives("It is so.", HealthReport), 503: Gives("Not healthy.", HealthReport)},
    ),
    Endpoint(
        "GET",
        "/livez",
        None,
        lambda ports: _health(ports).live,
        id="get_livez",
        tag="service",
        summary="Whether the process lives",
        any_query=True,
        gives={200: Gives("It is so.", documents.Readiness)},
    ),
    Endpoint(
        "GET",
        "/readyz",
        None,
        lambda ports: _health(ports).ready,
        id="get_readyz",
        tag="service",
        summary="Whether it should get requests",
        any_query=True,
        gives={200: Gives("It is so.", documents.Readiness), 503: Gives("Not ready.", documents.Readiness)},
    ),
)
