"""The intake as an ASGI application: one guard around all endpoints, and a short way for commands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.http.access import Access
from worker.http.answer import problem_answer
from worker.http.authentication import Authentication
from worker.http.commands import PREFIX, Commands
from worker.http.endpoint import Endpoint
from worker.http.endpoints import endpoints_with
from worker.http.explanation import explain
from worker.http.ports import Ports
from worker.http.problems import NOT_FOUND, UNAVAILABLE, Problem
from worker.http.resources.endpoints import resource_endpoints
from worker.http.routes import routes_of
from worker.http.table import Table
from worker.raising import is_failure

_PREFIX_LENGTH = len(PREFIX)
_STOPPED = Problem(
    UNAVAILABLE,
    "the server stops, and the request took longer than it may wait; repeat it with the same Idempotency-Key or id",
    headers=[("Retry-After", "1")],
)


def create_app(ports: Ports, endpoints: Sequence[Endpoint] | None = None) -> ASGIApp:
    """Make the intake.

    Args:
        ports: what it needs from the rest of the house.
        endpoints: what it answers, those for commands among them; None for all that there are.

    Raises:
        ConfigurationError: two of them are in one place.
    """
    if endpoints is None:
        endpoints = endpoints_with(resource_endpoints(ports.resources, ports.registry, ports.title))
    return Application(ports, endpoints)


class Application:
    """Asks who calls, finds the endpoint, and turns whatever it raises into a problem."""

    def __init__(self, ports: Ports, endpoints: Sequence[Endpoint]) -> None:
        self._ports = ports
        callers = ports.callers
        self._authentication = Authentication(
            Access(callers.hosts, callers.clients, loopback_only=callers.loopback_only),
            ports.tokens,
            ports.clock,
        )
        self._open = frozenset(endpoint.path for endpoint in endpoints if endpoint.right is None)
        calls = [(endpoint, endpoint.call(ports)) for endpoint in endpoints]
        self._commands = next(call for _, call in calls if isinstance(call, Commands))

        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncIterator[None]:
            async with ports.lifespan():
                yield

        routes = routes_of(calls)
        self._table = Table(routes)
        self._router = Router(
            routes,
            redirect_slashes=False,
            default=_not_found,
            lifespan=lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            path = scope["path"]
            principal = self._authentication.at_hand(scope, headers)
            if principal is None:
                principal = await self._authentication.principal(scope, headers, open=path in self._open)
            scope["principal"] = principal
            if scope["method"] == "POST" and path.startswith(PREFIX) and path.find("/", _PREFIX_LENGTH) < 0:
                # straight on, past the router: most requests are this one
                answer = await self._commands.take(scope, headers, receive, path[_PREFIX_LENGTH:])
                await answer(scope, receive, send)
            else:
                await self._route(scope, receive, send)
        except ClientDisconnect:
            return
        except asyncio.CancelledError as error:
            problem = _STOPPED
            if not self._ports.stopping.is_set():
                problem = explain(error, self._ports.messages.retry_after)
                _go_on()
            with contextlib.suppress(RuntimeError):  # the answer had begun
                await problem_answer(problem)(scope, receive, send)
        except BaseException as error:
            if not is_failure(error):
                raise
            answer = problem_answer(explain(error, self._ports.messages.retry_after))
            await answer(scope, receive, without_body(send) if scope["method"] == "HEAD" else send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._table.find(scope) or self._router
        await app(scope, receive, without_body(send) if scope["method"] == "HEAD" else send)


def _go_on() -> None:
    """Undo that a handler has cancelled the request's task, so that it can answer; only a stop may end it."""
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()


def without_body(send: Send) -> Send:
    """Let the head of an answer through and nothing else."""

    async def bare(message: Message) -> None:
        """Answer without the body."""
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return bare


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        raise Problem(NOT_FOUND, f"nothing is at {scope['path'][:200]!r}; /docs lists what there is")
    await send({"type": "websocket.close", "code": 1000, "reason": ""})
