"""Answers: bytes that are ready, problems, and documents in the type that the caller accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from worker.http.media import TYPES, answer_media, written
from worker.http.problems import MEDIA_TYPE, Problem

RawHeaders = list[tuple[bytes, bytes]]
"""Header names in lower case, and values."""


class Answer(msgspec.Struct, frozen=True):
    """Status, headers and body. As an ASGI application it sends them: the cheapest way there is."""

    status: int
    headers: RawHeaders
    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def answer_of(status: int, media_type: str, body: bytes, *more: tuple[str, str]) -> Answer:
    """Make an answer of text headers."""
    headers = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in more]
    return Answer(status, headers, body)


def problem_answer(problem: Problem) -> Answer:
    """Make the answer of a problem."""
    return answer_of(problem.status, MEDIA_TYPE, problem.encoded(), *problem.headers)


def document(
    request: Request, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with a document, in the content type that the caller accepts."""
    accept = request.headers.get("accept")
    media = answer_media(accept.encode("latin-1") if accept else None)
    try:
        body = written(value, media)
    except OverflowError:
        # MessagePack has no integers beyond 64 bits; JSON has
        media = "json"
        body = written(value, media)
    return Response(body, status, {**(headers or {}), "Vary": "Accept"}, TYPES[media])
