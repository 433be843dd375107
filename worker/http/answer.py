"""An answer as raw ASGI: the cheapest way to send bytes that are ready."""

from __future__ import annotations

from typing import NamedTuple

from starlette.types import Send

from worker.http.problems import MEDIA_TYPE, Problem

RawHeaders = list[tuple[bytes, bytes]]
"""Header names in lower case, and values."""


class Answer(NamedTuple):
    """Status, headers and body."""

    status: int
    headers: RawHeaders
    body: bytes

    async def send(self, send: Send) -> None:
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
