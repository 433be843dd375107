"""The documents of the intake as types; only their schemas are used, to describe answers."""

from __future__ import annotations

from typing import Any

import msgspec

from worker.failed.documents import FailedDocument, FailedPage, GroupsPage
from worker.http.failed import Edit
from worker.http.filtering import RetryAll, RetryChosen
from worker.http.ports import HealthReport
from worker.messaging.status import CommandStatus


class InputFault(msgspec.Struct):
    """One thing wrong with the input; the pointer is RFC 6901."""

    pointer: str
    message: str


class Problem(msgspec.Struct):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[InputFault] | msgspec.UnsetType = msgspec.UNSET
    instance: str | msgspec.UnsetType = msgspec.UNSET


class Accepted(msgspec.Struct):
    """A command that was taken; ``status`` is where its status is, or ``done``."""

    id: str
    type: str
    status: str


class Retried(msgspec.Struct):
    """How many failed messages were put back."""

    retried: int


class Edited(msgspec.Struct):
    """The failed message that was edited, and whether it was put back."""

    id: str
    edited: bool
    retried: int


class Consumers(msgspec.Struct):
    """Worker processes, and what is consumed."""

    version: int
    workers: list[dict[str, Any]]
    consumers: list[dict[str, Any]]


class Readiness(msgspec.Struct):
    """Whether requests should come here, and why not."""

    ready: bool
    reasons: list[str]


class BatchLine(msgspec.Struct):
    """One line of an NDJSON batch."""

    type: str
    data: Any
    id: str | None = None
    key: str | None = None
    delay: float = 0.0


class Root(msgspec.Struct):
    """What this service is, and where to read on."""

    title: str
    version: str
    documentation: str
    openapi: str
    health: str


SHAPES: tuple[Any, ...] = (
    Problem,
    Accepted,
    Retried,
    Edited,
    FailedPage,
    FailedDocument,
    GroupsPage,
    Consumers,
    Readiness,
    BatchLine,
    Root,
    CommandStatus,
    HealthReport,
    Edit,
    RetryAll,
    RetryChosen,
)
"""Everything that an endpoint of the service's own takes or answers."""
