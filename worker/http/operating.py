"""What an operator's changes have in common: who makes them, why, and a body that may be left out."""

from __future__ import annotations

from typing import Annotated, TypeVar

from msgspec import Meta
from starlette.requests import Request

from worker.http.body import read_as_json
from worker.http.filtering import read_json

T = TypeVar("T")

Reason = Annotated[str, Meta(max_length=4096, pattern="^[^\\x00]*$")]
"""Why; kept for the audit."""

ACTOR = "http"
"""Shown as the one who changed something where the caller has no token."""


def actor_of(request: Request) -> str:
    """Who makes the change: the token's id."""
    actor: str = request.scope["principal"].id or ACTOR
    return actor


async def asked(request: Request, shape: type[T], max_body: int) -> T:
    """Read what is asked for; without a body, all that the shape has by itself.

    Raises:
        Problem: its content type is not read here, it is too large, or it does not fit.
        Malformed: it cannot be read.
    """
    body = await read_as_json(request, max_body)
    if not body:
        return shape()
    found: T = read_json(body, shape)
    return found
