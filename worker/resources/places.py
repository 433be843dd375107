"""Places: which built-in stages a request of an operation passes, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from worker.resources.checking.operations import reads
from worker.resources.hook import Event
from worker.resources.operation import Operation


class Place(NamedTuple):
    """A stage by its name, and where it stands."""

    stage: str
    event: Event
    priority: int


def places_of(operation: Operation, *, scoped: bool) -> Iterator[Place]:
    """Say which stages an operation's flags leave.

    Args:
        operation: resolved.
        scoped: whether its resource has scopes, which are asked like ``security``.
    """
    yield Place("format", "request", 28)
    if reads(operation):
        yield Place("read", "request", 4)
    if operation.security is not None or scoped:
        yield Place("access", "request", 3)
    if operation.query_parameter_validate is not False:
        yield Place("query_parameter_validate", "request", 2)
    if deserializes(operation):
        yield Place("deserialize", "request", 2)
        if operation.security_after is not None or scoped:
            yield Place("access_after", "request", 1)
    if validates(operation):
        yield Place("validate", "view", 64)
    if not operation.is_safe and operation.write is not False and operation.persist is not False:
        yield Place("write", "view", 32)
    if operation.respond is not False:
        if operation.serialize is not False and operation.output is not False and operation.status != 204:
            yield Place("serialize", "view", 16)
        yield Place("respond", "view", 8)
    yield Place("link", "response", 0)
    yield Place("validation_problem", "exception", 0)
    yield Place("problem", "exception", -96)


def deserializes(operation: Operation) -> bool:
    """Whether an operation reads its body."""
    if operation.receive is False or operation.input is False or not operation.reads_body:
        return False
    return operation.deserialize is not False


def validates(operation: Operation) -> bool:
    """Whether an operation asks the constraints of its object."""
    if operation.receive is False or operation.input is False:
        return False
    return operation.reads_body if operation.validate is None else operation.validate
