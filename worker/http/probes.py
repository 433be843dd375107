"""The probes of a process without intake: the same health documents on a port of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from worker.http.answer import problem_answer
from worker.http.authentication import Authentication
from worker.http.explanation import explain
from worker.http.health import Health
from worker.messaging.health import HealthReport

_OPEN = ("/livez", "/readyz")
_RETRY_AFTER = 5.0


def create_probes(
    health: Callable[[], Awaitable[HealthReport]],
    ready: Callable[[], Awaitable[list[str]]],
    authentication: Authentication,
) -> ASGIApp:
    """Make the application that answers ``/health``, ``/livez`` and ``/readyz``.

    As on the intake, the last two need no token; the first needs the right ``health``, as soon as tokens are in use.
    """
    probes = Health(health, ready)
    return _Guarded(
        Starlette(
            routes=[
                Route("/livez", probes.live),
                Route("/readyz", probes.ready),
                Route("/health", probes.report),
            ]
        ),
        authentication,
    )


class _Guarded:
    """Asks who calls, but for what is open to all."""

    def __init__(self, app: ASGIApp, authentication: Authentication) -> None:
        self._app = app
        self._authentication = authentication

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            try:
                caller = await self._authentication.principal(scope, dict(scope["headers"]))
                caller.require("health")
            except Exception as error:
                await problem_answer(explain(error, lambda _: _RETRY_AFTER))(scope, receive, send)
                return
        await self._app(scope, receive, send)
