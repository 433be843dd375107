"""Turns any error into the problem that a caller may see; its inner reasons go to the log only."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping

import structlog

from worker.errors import (
    DatabaseUnavailable,
    Fault,
    Forbidden,
    Guarded,
    InvalidMessage,
    LimitReached,
    Malformed,
    NotFound,
    PublishFailed,
    Reject,
    Taken,
    Unavailable,
    UnknownType,
    UsageError,
    WrongMiddleware,
)
from worker.http import problems
from worker.http.problems import Problem
from worker.messaging.declaration import Kind, MessageType
from worker.messaging.identity import new_id
from worker.texts import message_of

log = structlog.stdlib.get_logger("worker.http")

RetryAfter = Callable[[Unavailable], float]
"""Seconds until another try may succeed."""


class HandlerFailed(Exception):
    """A handler raised an error that its type does not declare; the caller learns nothing of it."""


def explain(error: BaseException, retry_after: RetryAfter) -> Problem:
    """Return the problem to answer with. An error of no kind named here is logged whole, and hidden from the caller."""
    match error:
        case Problem():
            return error
        case InvalidMessage():
            return Problem(problems.INVALID, _counted(error), errors=error.faults)
        case Malformed():
            return Problem(problems.MALFORMED, message_of(error))
        case UnknownType():
            return Problem(problems.UNKNOWN_TYPE, f"no message of type {error.name!r} is declared")
        case NotFound():
            return Problem(problems.NOT_FOUND, message_of(error))
        case Taken(field=str() as field):
            faults = [Fault(f"/{field}", "is taken")]
            return Problem(problems.CONFLICT, message_of(error), errors=faults)
        case Guarded():
            return Problem(problems.CONFLICT, message_of(error))
        case Forbidden():
            return Problem(problems.NO_RIGHT, message_of(error))
        case LimitReached():
            after = error.retry_after
            headers = [] if after is None else [("Retry-After", str(max(1, math.ceil(after))))]
            return Problem(problems.LIMITED, message_of(error), headers=headers)
        case Reject():
            return Problem(problems.REFUSED, message_of(error) or "the message was refused")
        case WrongMiddleware():
            log.error("a middleware broke its promise", error=message_of(error))
            return Problem(problems.INTERNAL, message_of(error))
        case UsageError():
            return Problem(
                problems.INVALID_PARAMETER, message_of(error), errors=[Fault("", message_of(error))]
            )
        case PublishFailed(refused=True):
            return Problem(problems.TOO_LARGE, message_of(error))
        case Unavailable():
            return _unavailable(error, retry_after)
        case _:
            return internal(error)


def internal(error: BaseException) -> Problem:
    """Log an error under a new id, and return a problem that has the id and nothing else."""
    instance = f"urn:uuid:{new_id()}"
    log.error("request failed", instance=instance, exc_info=error)
    detail = f"the server failed; its log has the reason under {instance}"
    return Problem(problems.INTERNAL, detail, instance=instance)


def unknown_type(
    name: str, kind: str, names: Iterable[str], others: Mapping[str, MessageType] | None = None
) -> Problem:
    """Say that there is no such command or query, and which names are near; or, where ``others`` has it, what it is."""
    other = None if others is None else others.get(name)
    if other is not None:
        what = _OF_A_RESOURCE if other.kind == kind else _OTHERWISE[other.kind]
        return Problem(problems.UNKNOWN_TYPE, f"{name!r} is {what}")
    declared = sorted(names)
    near = difflib.get_close_matches(name, declared, n=5, cutoff=0.5)
    folded = [known for known in declared if known.lower() == name.lower() and known not in near]
    hint = f"; near: {', '.join([*folded, *near])}" if folded or near else ""
    if not hint and declared:
        shown = ", ".join(declared[:10])
        hint = f"; declared: {shown}{', …' if len(declared) > 10 else ''}"
    return Problem(problems.UNKNOWN_TYPE, f"no {kind} of type {name[:128]!r} is declared{hint}")


_OTHERWISE: Mapping[Kind, str] = {
    "command": "a command: send it, with POST, where /docs lists it",
    "query": "a query: ask it, under /queries",
    "event": "an event: handlers record it, it is not sent from outside",
}
_OF_A_RESOURCE = (
    "sent by the calls of its resource; with @app.command beside @app.resource it is taken here, too"
)
_DATABASE = "the database does not answer"
_TRANSPORT = "a transport does not answer"


def _unavailable(error: Unavailable, retry_after: RetryAfter) -> Problem:
    seconds = max(1, round(retry_after(error)))
    detail = error.told or (_DATABASE if isinstance(error, DatabaseUnavailable) else _TRANSPORT)
    if isinstance(error, PublishFailed) and error.unknown:
        detail += "; it may have been taken: repeat it with the same Idempotency-Key or id"
    log.warning("request not served", error=message_of(error))
    return Problem(problems.UNAVAILABLE, detail, headers=[("Retry-After", str(seconds))])


def _counted(error: InvalidMessage) -> str:
    count = len(error.faults)
    return f"{error.type_name}: {count} {'fault' if count == 1 else 'faults'}"
