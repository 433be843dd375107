"""Building blocks of OpenAPI operations: parameters, bodies, answers and the problems of each status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.http.media import JSON, MSGPACK
from worker.http.problems import KINDS, MEDIA_TYPE
from worker.messaging.limits import MAX_KEY
from worker.seconds import LONGEST

Json = dict[str, Any]
"""A JSON object."""

ALWAYS = (403, 500)
"""Statuses that any endpoint may answer."""

PARAMETERS: Json = {
    "Delay": {
        "name": "delay",
        "in": "query",
        "required": False,
        "description": "Seconds before which it is not handed out.",
        "schema": {"type": "number", "minimum": 0, "maximum": LONGEST},
    },
    "Key": {
        "name": "key",
        "in": "query",
        "required": False,
        "description": "Ordering key, instead of the message's own.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[^\\x00]+$"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key with the same body gives the same answer and makes one message.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    },
    "CorrelationId": {
        "name": "X-Correlation-Id",
        "in": "header",
        "required": False,
        "description": (
            "Goes with the message and all that follows from it: 1 to 128 visible ASCII characters, "
            "ignored when it is anything else."
        ),
        "schema": {"type": "string"},
    },
    "Traceparent": {
        "name": "traceparent",
        "in": "header",
        "required": False,
        "description": "W3C trace context, like `00-<32 digits>-<16 digits>-01`; ignored when malformed.",
        "schema": {"type": "string"},
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": "`wait=N` answers as soon as that has happened (done or failed; applied), after N seconds at the latest.",
        "schema": {"type": "string"},
        "example": "wait=10",
    },
}
"""Parameters that several operations share."""

_ALIKE = {422: "What was sent does not fit.", 409: "Not as things stand.", 404: "There is no such thing."}


def ref(name: str) -> Json:
    """Point to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def shared(*names: str) -> list[Json]:
    """Point to shared parameters."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def answer(
    description: str, schema: Json, *, media: Sequence[str] = (JSON, MSGPACK), headers: Json | None = None
) -> Json:
    """Describe an answer with a body."""
    described: Json = {"description": description, "content": {kind: {"schema": schema} for kind in media}}
    if headers:
        described["headers"] = headers
    return described


def header(description: str, kind: str = "string") -> Json:
    """Describe a header of an answer."""
    return {"description": description, "schema": {"type": kind}}


def problems(*statuses: int) -> Json:
    """Describe the problems of an operation by status, beside those that are always possible."""
    return {
        str(status): {"$ref": f"#/components/responses/Problem{status}"}
        for status in sorted({*ALWAYS, *statuses})
    }


def problem_responses(problem: Json, extra: Sequence[int] = ()) -> Json:
    """Make the answers that ``problems`` points to."""
    found: Json = {}
    for status in sorted({kind.status for kind in KINDS} | set(extra)):
        kinds = [kind for kind in KINDS if kind.status == status]
        lines = [f"`{kind.uri}`: {kind.title}." for kind in kinds]
        described: Json = {
            "description": " ".join([_ALIKE.get(status, ""), *lines]).strip() or "The handler refused.",
            "content": {MEDIA_TYPE: {"schema": problem}},
        }
        if status in {409, 503}:
            described["headers"] = {
                "Retry-After": header("Seconds until it makes sense to try again.", "integer")
            }
        if status == 405:
            described["headers"] = {"Allow": header("Methods that are allowed.")}
        found[f"Problem{status}"] = described
    return found
