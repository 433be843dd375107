"""Failed messages as the contract's documents; times are RFC 3339 in UTC."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from worker.messaging.bus import timestamp
from worker.messaging.failure import Attempt, Group, StoredFailure
from worker.messaging.rewriting import as_structured
from worker.messaging.status import ErrorDocument


class TracedError(msgspec.Struct, frozen=True):
    """What went wrong in one attempt, with its trace."""

    type: str
    message: str
    trace: str


class AttemptDocument(msgspec.Struct, frozen=True):
    """One failed attempt; ``handler`` is None where none was reached."""

    attempt: int
    at: str
    worker: str
    handler: str | None
    error: TracedError


class FailedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One failed message. In a list, ``envelope``, ``body_base64`` and ``history`` are left out.

    ``group`` is the first of ``groups``: a message whose two handlers failed is in two.
    """

    id: str
    type: str | None
    transport: str
    queue: str
    failed_at: str
    attempts: int
    error: ErrorDocument | None
    group: str | None
    groups: tuple[str, ...]
    envelope: dict[str, Any] | UnsetType | None = UNSET
    body_base64: str | UnsetType | None = UNSET
    history: tuple[AttemptDocument, ...] | UnsetType = UNSET


class FailedPage(msgspec.Struct, frozen=True):
    """One page of failed messages, newest first; ``next`` is the cursor of the one that follows."""

    total: int
    items: list[FailedDocument]
    next: str | None


class ErrorType(msgspec.Struct, frozen=True):
    """What kind of error a group shares."""

    type: str


class GroupDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Failed messages of one type, handler and error type."""

    group: str
    type: str | None
    handler: str | None
    error: ErrorType
    count: int
    first_at: str
    last_at: str


class GroupsPage(msgspec.Struct, frozen=True):
    """All groups, largest first; ``total`` counts messages."""

    total: int
    items: list[GroupDocument]


def summary(row: StoredFailure) -> FailedDocument:
    """Show a row as it stands in a list."""
    failure = row.failure
    last = failure.history[-1] if failure.history else None
    return FailedDocument(
        id=failure.id,
        type=failure.type,
        transport=failure.transport,
        queue=failure.queue,
        failed_at=timestamp(failure.failed_at),
        attempts=failure.attempts,
        error=ErrorDocument(last.error_type, last.error_message) if last else None,
        group=row.groups[0] if row.groups else None,
        groups=row.groups,
    )


def full(row: StoredFailure) -> FailedDocument:
    """Show a row with its envelope or bytes, and its history."""
    failure = row.failure
    return msgspec.structs.replace(
        summary(row),
        envelope=event_of(as_structured(failure.body, failure.headers)),
        body_base64=None if failure.decoded else base64.b64encode(failure.body).decode(),
        history=tuple(_attempt(attempt) for attempt in failure.history),
    )


def group_document(group: Group) -> GroupDocument:
    """Show a group."""
    return GroupDocument(
        group=group.group,
        type=group.type,
        handler=group.handler,
        error=ErrorType(group.error_type),
        count=group.count,
        first_at=timestamp(group.first_at),
        last_at=timestamp(group.last_at),
    )


def event_of(body: bytes) -> dict[str, Any] | None:
    """Read bytes as a CloudEvent as far as that goes: its data need not fit; None when they are none."""
    try:
        event = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and {"specversion", "id", "type"} <= event.keys() else None


def _attempt(attempt: Attempt) -> AttemptDocument:
    return AttemptDocument(
        attempt=attempt.attempt,
        at=timestamp(attempt.at),
        worker=attempt.worker,
        handler=attempt.handler,
        error=TracedError(attempt.error_type, attempt.error_message, attempt.trace),
    )
