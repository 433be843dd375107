"""Answers that are not what was asked for: RFC 9457 problem documents with stable types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from worker.errors import Fault, WorkerError

MEDIA_TYPE = "application/problem+json"
URN = "urn:command-worker:problem:"


class Kind(NamedTuple):
    """A kind of problem: the end of its ``type`` and what is always the same about it."""

    slug: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """The problem's ``type``."""
        return URN + self.slug


MALFORMED = Kind("malformed", 400, "The request cannot be read")
UNAUTHORIZED = Kind("unauthorized", 401, "A token is needed")
FORBIDDEN = Kind("forbidden", 403, "Not from here")
NO_RIGHT = Kind("no-right", 403, "The token may not do this")
NOT_FOUND = Kind("not-found", 404, "Not found")
UNKNOWN_TYPE = Kind("unknown-type", 404, "Unknown message type")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "Method not allowed")
NOT_ACCEPTABLE = Kind("not-acceptable", 406, "Nothing that the caller takes")
TOO_SLOW = Kind("too-slow", 408, "The request did not come to its end")
CONFLICT = Kind("conflict", 409, "In conflict with what is there")
IN_PROGRESS = Kind("in-progress", 409, "The first request with this key is still under way")
PRECONDITION = Kind("precondition-failed", 412, "The request's condition does not hold")
TOO_LARGE = Kind("too-large", 413, "Too large")
UNSUPPORTED = Kind("unsupported-media-type", 415, "Unsupported content type")
INVALID = Kind("invalid-message", 422, "The data does not fit its type")
INVALID_PARAMETER = Kind("invalid-parameter", 422, "A parameter does not fit")
KEY_REUSED = Kind("idempotency-key-reused", 422, "The idempotency key belongs to another body")
REFUSED = Kind("refused", 422, "The message was refused")
DECLARED = Kind("handler-error", 422, "The handler refused")
LIMITED = Kind("limit-reached", 429, "The token has sent as much as it may")
HEAD_TOO_LARGE = Kind("head-too-large", 431, "The request's head is too large")
INTERNAL = Kind("internal", 500, "Internal error")
UNAVAILABLE = Kind("unavailable", 503, "Cannot be taken now")

KINDS = (
    MALFORMED,
    UNAUTHORIZED,
    FORBIDDEN,
    NO_RIGHT,
    NOT_FOUND,
    UNKNOWN_TYPE,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    TOO_SLOW,
    CONFLICT,
    IN_PROGRESS,
    PRECONDITION,
    TOO_LARGE,
    UNSUPPORTED,
    INVALID,
    INVALID_PARAMETER,
    KEY_REUSED,
    REFUSED,
    DECLARED,
    LIMITED,
    HEAD_TOO_LARGE,
    INTERNAL,
    UNAVAILABLE,
)
"""Every kind; the OpenAPI document lists them."""


class Problem(WorkerError):
    """Raise it in an endpoint to answer with a problem.

    Args:
        kind: which one.
        detail: about this occurrence, for the caller; no internals.
        errors: what is wrong with the input, field by field.
        headers: to add to the answer.
        status: instead of the kind's.
        instance: URI of this occurrence.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Sequence[tuple[str, str]] = (),
        status: int | None = None,
        instance: str | None = None,
    ) -> None:
        self.kind = kind
        self.status = status or kind.status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = tuple(headers)
        self.instance = instance
        super().__init__(detail)

    def document(self) -> dict[str, Any]:
        """The problem as a JSON object."""
        document: dict[str, Any] = {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [fault._asdict() for fault in self.errors]
        if self.instance:
            document["instance"] = self.instance
        return document

    def encoded(self) -> bytes:
        """The problem as bytes."""
        return msgspec.json.encode(self.document())
