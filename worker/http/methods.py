"""The endpoints of one path, by method; tells which methods are allowed."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from worker.http.endpoint import Call, Endpoint
from worker.http.parameters import refuse_parameters
from worker.http.problems import METHOD_NOT_ALLOWED, Problem
from worker.tokens.principal import Principal


class Methods:
    """An ASGI application for one path. HEAD is GET without the body; OPTIONS lists the methods.

    Who calls needs the right of the endpoint, be it answered or not. A query string is refused unless its endpoint reads it: the caller meant something by it.
    """

    def __init__(self, calls: Sequence[tuple[Endpoint, Call]]) -> None:
        names = calls[0][0].names
        self._calls: dict[str, Call] = {}
        self._rights: dict[str, str] = {}
        self._reads = {"OPTIONS"}
        for endpoint, call in calls:
            for method in ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,):
                self._calls[method] = call if endpoint.names == names else _renaming(call, endpoint.names)
                if endpoint.right is not None:
                    self._rights[method] = endpoint.right
                if endpoint.reads_query:
                    self._reads.add(method)
        self.allow = ", ".join(sorted({*self._calls, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the request's method."""
        method = scope["method"]
        right = self._rights.get(method)
        if right is not None:
            principal: Principal = scope["principal"]
            principal.require(right)
        if scope["query_string"] and method not in self._reads:
            refuse_parameters(scope)
        call = self._calls.get(method)
        answer: ASGIApp
        if call is not None:
            answer = await call(Request(scope, receive))
        elif method == "OPTIONS":
            answer = Response(status_code=204, headers={"Allow": self.allow})
        else:
            raise Problem(
                METHOD_NOT_ALLOWED, f"expected one of: {self.allow}", headers=[("Allow", self.allow)]
            )
        await answer(scope, receive, send)


def _renaming(call: Call, names: Sequence[str]) -> Call:
    """Give the path's parameters the names that an endpoint has for them; the route has those of its first."""

    async def renamed(request: Request) -> ASGIApp:
        values = request.path_params.values()
        request.scope["path_params"] = dict(zip(names, values, strict=True))
        return await call(request)

    return renamed
