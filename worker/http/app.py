"""The intake as an ASGI application: one guard around all endpoints, and a short way for commands."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.errors import ConfigurationError
from worker.http.access import Access
from worker.http.answer import problem_answer
from worker.http.authentication import Authentication
from worker.http.commands import PREFIX, Commands
from worker.http.endpoint import Call, Direct, Endpoint
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
        ConfigurationError: two of them are in one place, or the application's classes for some cannot be made.
    """
    if endpoints is None:
        endpoints = endpoints_with(resource_endpoints(ports.resources, ports.registry, ports.title))
    return Application(ports, endpoints)


def _calls(endpoints: Sequence[Endpoint], ports: Ports) -> list[tuple[Endpoint, Call | Direct]]:
    """Make what answers; what cannot be made is told all at once, a class that several need one time."""
    calls: list[tuple[Endpoint, Call | Direct]] = []
    faults: list[str] = []
    for endpoint in endpoints:
        try:
            calls.append((endpoint, endpoint.call(ports)))
        except ConfigurationError as error:
            faults += error.faults
    if faults:
        raise ConfigurationError(list(dict.fromkeys(faults)))
    return calls


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
        calls = _calls(endpoints, ports)
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
            default=_not_found([endpoint.path for endpoint in endpoints if "{" not in endpoint.path]),
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
                answer: ASGIApp = await self._commands.take(scope, headers, receive, path[_PREFIX_LENGTH:])
            elif (methods := self._table.find(scope)) is not None:
                answer = await methods.answer(scope, headers, receive)
            else:
                answer = self._router
            await answer(scope, receive, without_body(send) if scope["method"] == "HEAD" else send)
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


def _not_found(paths: Sequence[str]) -> ASGIApp:
    """Make what answers where nothing is; ``paths``: those without variables that there are, one of which may be meant."""

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        """Say that nothing is there."""
        if scope["type"] == "http":
            path = scope["path"][:200]
            close = difflib.get_close_matches(path, paths, n=1, cutoff=0.8)
            meant = f"; did you mean {close[0]!r}? " if close else "; "
            raise Problem(NOT_FOUND, f"nothing is at {path!r}{meant}/docs lists what there is")
        await send({"type": "websocket.close", "code": 1000, "reason": ""})

    return refuse
