"""The probes of a process without intake: the same health documents on a port of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.routing import Route

from worker.http.health import Health
from worker.messaging.health import HealthReport


def create_probes(
    health: Callable[[], Awaitable[HealthReport]], ready: Callable[[], Awaitable[list[str]]]
) -> Starlette:
    """Make the application that answers ``/health``, ``/livez`` and ``/readyz``."""
    probes = Health(health, ready)
    return Starlette(
        routes=[
            Route("/livez", probes.live),
            Route("/readyz", probes.ready),
            Route("/health", probes.report),
        ]
    )
