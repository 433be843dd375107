"""``POST|GET /queries/{type}``: asks for data; the answer is what the handler returns."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from worker.http.answer import document
from worker.http.body import read_body
from worker.http.correlation import CORRELATION_ID, TRACEPARENT, correlation_id, traceparent
from worker.http.dispatch import handler_error
from worker.http.endpoint import Endpoint, Gives, Header
from worker.http.explanation import unknown_type
from worker.http.media import media_of
from worker.http.parameters import parameters_of
from worker.http.ports import Ports
from worker.messaging.declaration import MessageType
from worker.messaging.stamps import Result
from worker.messaging.validation import decode, from_text


class Queries:
    """Asks queries."""

    def __init__(self, ports: Ports) -> None:
        self._bus = ports.messages.query_bus
        self._max_body = ports.limits.max_body
        self._queries = {
            n: declared for n, declared in ports.registry.by_name.items() if declared.kind == "query"
        }

    async def post(self, request: Request) -> Response:
        """Answer a query whose parameters are the body."""
        declared = self._declared(request)
        headers = dict(request.scope["headers"])
        media = media_of(headers.get(b"content-type"))
        body = await read_body(request.receive, headers, self._max_body)
        return await self._ask(request, declared, decode(declared, body, content_type=media))

    async def get(self, request: Request) -> Response:
        """Answer a query whose parameters are in the query string."""
        declared = self._declared(request)
        answer = await self._ask(request, declared, from_text(declared, parameters_of(request.scope)))
        if declared.cache:
            answer.headers["Cache-Control"] = f"private, max-age={declared.cache:.0f}"
        return answer

    def _declared(self, request: Request) -> MessageType:
        name = request.path_params["type"]
        if name not in self._queries:
            raise unknown_type(name, "query", self._queries)
        return self._queries[name]

    async def _ask(self, request: Request, declared: MessageType, message: Any) -> Response:
        headers = dict(request.scope["headers"])
        try:
            envelope = await self._bus.dispatch(
                message,
                correlation_id=correlation_id(headers.get(b"x-correlation-id")),
                traceparent=traceparent(headers.get(b"traceparent")),
            )
        except Exception as error:
            raise handler_error(declared, error) from error
        result = envelope.get(Result)
        answer = document(request, result.value if result else None, headers={"Cache-Control": "no-store"})
        answer.headers["X-Correlation-Id"] = envelope.correlation_id or envelope.id
        return answer


_GIVES = {
    200: Gives("What the handler returned.", {}, headers={"X-Correlation-Id": Header("Its correlation id.")})
}

ENDPOINTS = (
    Endpoint(
        "GET",
        "/queries/{type}",
        "ask",
        lambda ports: Queries(ports).get,
        id="get_query",
        tag="queries",
        summary="Ask a query; its fields are parameters",
        each="query",
        any_query=True,
        parameters=(CORRELATION_ID, TRACEPARENT),
        gives=_GIVES,
        problems=(400, 422, 503),
    ),
    Endpoint(
        "POST",
        "/queries/{type}",
        "ask",
        lambda ports: Queries(ports).post,
        id="post_query",
        tag="queries",
        summary="Ask a query; it is the body",
        each="query",
        parameters=(CORRELATION_ID, TRACEPARENT),
        gives=_GIVES,
        problems=(400, 413, 415, 422, 503),
    ),
)
