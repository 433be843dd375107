"""One path's endpoints by method; says itself what is not allowed and what is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from worker.http.parameters import refuse_parameters
from worker.http.problems import METHOD_NOT_ALLOWED, Problem

Endpoint = Callable[[Request], Awaitable[Response]]
"""Answers a request."""
RawEndpoint = Callable[[Scope, Receive, Send], Awaitable[None]]
"""Answers on its own, without request and response objects."""


class Methods:
    """An ASGI application for one path. HEAD is GET without the body; OPTIONS lists the methods.

    A query string is refused unless its endpoint reads it: the caller meant something by it. ``reads`` names the
    methods that read theirs, or for which one means nothing.
    """

    def __init__(
        self,
        *,
        get: Endpoint | None = None,
        post: Endpoint | None = None,
        put: Endpoint | None = None,
        delete: Endpoint | None = None,
        raw_post: RawEndpoint | None = None,
        reads: Collection[str] = (),
    ) -> None:
        self._reads = {*reads, "OPTIONS"}
        given = {"GET": get, "HEAD": get, "POST": post, "PUT": put, "DELETE": delete}
        self._endpoints = {method: endpoint for method, endpoint in given.items() if endpoint is not None}
        self._raw_post = raw_post
        allowed = {*self._endpoints, "OPTIONS"} | ({"POST"} if raw_post else set())
        self.allow = ", ".join(sorted(allowed))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the request's method."""
        method = scope["method"]
        if scope["query_string"] and method not in self._reads:
            refuse_parameters(scope)
        if method == "POST" and self._raw_post is not None:
            await self._raw_post(scope, receive, send)
            return
        endpoint = self._endpoints.get(method)
        if endpoint is not None:
            response = await endpoint(Request(scope, receive))
        elif method == "OPTIONS":
            response = Response(status_code=204, headers={"Allow": self.allow})
        else:
            raise Problem(
                METHOD_NOT_ALLOWED, f"expected one of: {self.allow}", headers=[("Allow", self.allow)]
            )
        await response(scope, receive, send)
