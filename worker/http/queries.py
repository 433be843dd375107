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
from worker.messaging.door import admitted, meant, read_for
from worker.messaging.stamps import Result
from worker.messaging.validation import from_text
from worker.tokens.document import TokenDocument
from worker.tokens.principal import Principal


class Queries:
    """Asks queries."""

    def __init__(self, ports: Ports) -> None:
        self._bus = ports.messages.query_bus
        self._max_body = ports.limits.max_body
        self._spend = ports.tokens.spend
        self._clock = ports.clock
        self._known = ports.registry.by_name
        self._queries = {
            name: declared
            for name, declared in {**ports.messages.own, **ports.registry.by_name}.items()
            if declared.kind == "query"
        }

    async def post(self, request: Request) -> Response:
        """Answer a query whose parameters are the body."""
        declared = self._declared(request)
        headers = dict(request.scope["headers"])
        media = media_of(headers.get(b"content-type"))
        body = await read_body(request.receive, headers, self._max_body)
        return await self._ask(request, declared, read_for(request.scope["principal"], declared, body, media))

    async def get(self, request: Request) -> Response:
        """Answer a query whose parameters are in the query string."""
        declared = self._declared(request)
        said = parameters_of(request.scope)
        single = {name: values[0] if len(values) == 1 else values for name, values in said.items()}
        for name, found in meant(request.scope["principal"], declared, single).items():
            said[name] = found if isinstance(found, list) else [found]
        answer = await self._ask(request, declared, from_text(declared, said))
        principal: Principal = request.scope["principal"]
        if principal.token is not None:
            kept_by(principal, principal.token, answer, self._clock())
        elif declared.cache:
            answer.headers["Cache-Control"] = f"private, max-age={declared.cache:.0f}"
        return answer

    def _declared(self, request: Request) -> MessageType:
        name = request.path_params["type"]
        if name not in self._queries:
            raise unknown_type(name, "query", self._queries, self._known)
        return self._queries[name]

    async def _ask(self, request: Request, declared: MessageType, message: Any) -> Response:
        headers = dict(request.scope["headers"])
        principal: Principal = request.scope["principal"]
        message = admitted(principal, declared, message)
        if principal.limits:
            await self._spend(principal)
        try:
            envelope = await self._bus.dispatch(
                message,
                *principal.marks,
                correlation_id=correlation_id(headers.get(b"x-correlation-id")),
                traceparent=traceparent(headers.get(b"traceparent")),
            )
        except Exception as error:
            raise handler_error(declared, error) from error
        result = envelope.get(Result)
        answer = document(request, result.value if result else None, headers={"Cache-Control": "no-store"})
        answer.headers["X-Correlation-Id"] = envelope.correlation_id or envelope.id
        return answer


def kept_by(principal: Principal, token: TokenDocument, answer: Response, now: float) -> None:
    """Say for how long an answer may be kept: by whom the token is shared, and no longer than it holds.

    What its use is counted by, or its pages, is asked for each time.
    """
    seconds = 0 if token.limits or token.referrers else token.ttl
    if principal.expires is not None:
        seconds = min(seconds, int(principal.expires - now))
    if seconds > 0:
        answer.headers["Cache-Control"] = f"public, max-age={seconds}, s-maxage={seconds}"
    else:
        answer.headers["Cache-Control"] = "private, max-age=0"
    answer.headers["Vary"] = "Accept, Authorization"


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
        problems=(400, 422, 429, 503),
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
        problems=(400, 413, 415, 422, 429, 503),
    ),
)
