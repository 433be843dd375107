"""The probes of a process without intake: the same health documents on a port of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.http.documents import document
from worker.http.ports import HealthReport

_FRESH = {"Cache-Control": "no-store"}


def create_probes(
    health: Callable[[], Awaitable[HealthReport]], ready: Callable[[], Awaitable[list[str]]]
) -> Starlette:
    """Make the application that answers ``/health``, ``/livez`` and ``/readyz``."""

    async def live(request: Request) -> Response:
        """The process answers."""
        return document(request, {"ready": True, "reasons": []}, headers=_FRESH)

    async def readiness(request: Request) -> Response:
        """Whether it should get work, and why not."""
        reasons = list(await ready())
        return document(request, {"ready": not reasons, "reasons": reasons}, 503 if reasons else 200, _FRESH)

    async def report(request: Request) -> Response:
        """The full report."""
        found = await health()
        return document(request, found, 200 if found.healthy else 503, _FRESH)

    return Starlette(routes=[Route("/livez", live), Route("/readyz", readiness), Route("/health", report)])
