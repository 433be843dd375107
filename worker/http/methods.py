"""The endpoints of one path, by method; tells which methods are allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from worker.http.endpoint import Bare, Call, Direct, Endpoint
from worker.http.parameters import refuse_parameters
from worker.http.problems import METHOD_NOT_ALLOWED, Problem
from worker.tokens.principal import Principal


class Methods:
    """An ASGI application for one path. HEAD is GET without the body; OPTIONS lists the methods.

    The caller needs the right of the endpoint, be it answered or not. A query string is refused unless its endpoint reads it: the caller meant something by it.
    """

    def __init__(self, calls: Sequence[tuple[Endpoint, Call | Direct]]) -> None:
        names = calls[0][0].names
        self._calls: dict[str, Bare] = {"OPTIONS": self._options}
        self._rights: dict[str, str] = {}
        self._reads = {"OPTIONS"}
        for endpoint, call in calls:
            for method in ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,):
                bare = _bare(call)
                self._calls[method] = bare if endpoint.names == names else _renaming(bare, endpoint.names)
                if endpoint.right is not None:
                    self._rights[method] = endpoint.right
                if endpoint.reads_query:
                    self._reads.add(method)
        self.allow = ", ".join(sorted(self._calls))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the request's method."""
        answer = await self.answer(scope, dict(scope["headers"]), receive)
        await answer(scope, receive, send)

    def answer(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> Awaitable[ASGIApp]:
        """Make the answer by the request's method.

        Raises:
            Forbidden: the caller has no right to it.
            Problem: there is no such method here, or no query string is read.
        """
        method = scope["method"]
        right = self._rights.get(method)
        if right is not None:
            principal: Principal = scope["principal"]
            if right not in principal.granted:
                principal.require(right)
        if scope["query_string"] and method not in self._reads:
            refuse_parameters(scope)
        call = self._calls.get(method)
        if call is None:
            raise Problem(
                METHOD_NOT_ALLOWED, f"expected one of: {self.allow}", headers=[("Allow", self.allow)]
            )
        return call(scope, headers, receive)

    async def _options(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> ASGIApp:
        return Response(status_code=204, headers={"Allow": self.allow})


def _bare(call: Call | Direct) -> Bare:
    if not callable(call):
        return call.bare
    return lambda scope, headers, receive: call(Request(scope, receive))


def _renaming(call: Bare, names: Sequence[str]) -> Bare:
    """Give the path's parameters the names that an endpoint has for them; the route has those of its first."""

    def renamed(scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> Awaitable[ASGIApp]:
        scope["path_params"] = dict(zip(names, scope["path_params"].values(), strict=True))
        return call(scope, headers, receive)

    return renamed
