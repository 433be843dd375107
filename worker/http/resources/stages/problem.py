"""Problem: an error becomes an answer."""

from __future__ import annotations

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from worker.errors import HandlerTimeout, InvalidMessage, Taken, Unavailable, UsageError, WrongMiddleware
from worker.http import problems
from worker.http.dispatch import handler_error
from worker.http.explanation import explain, internal
from worker.http.problems import Problem
from worker.http.resources.representing import problem as represent
from worker.http.resources.stages.precondition import THERE_IS_ONE, asks_for_none
from worker.http.resources.stages.respond import BODILESS, response_of
from worker.messaging.declaration import MessageType
from worker.raising import as_exception, behind
from worker.resources.event import RequestEvent
from worker.resources.operation import Operation
from worker.texts import message_of

_LEAST, _MOST = 300, 599
"""Statuses of what is raised: what went well is answered, not raised."""
_OURS = ("content-type", "content-length", "transfer-encoding")
"""Headers that say what the body is, which is made here."""
RetryAfter = Callable[[Unavailable], float]


class Problems:
    """Makes the answers of errors.

    Args:
        operation: resolved.
        message: the type that it dispatches; None where it dispatches nothing.
        retry_after: seconds until what is unavailable may be back.
    """

    def __init__(self, operation: Operation, message: MessageType | None, retry_after: RetryAfter) -> None:
        self._errors = operation.errors or {}
        self._message = message
        self._retry_after = retry_after

    def invalid(self, event: RequestEvent) -> None:
        """Answer data that does not fit, and nothing else."""
        if isinstance(event.error, InvalidMessage) and not event.handling:
            event.response = self.answer(event, event.error)

    def any(self, event: RequestEvent) -> None:
        """Answer whatever it is."""
        if event.error is not None:
            event.response = self.answer(event, event.error)

    def answer(self, event: RequestEvent, error: BaseException) -> Response:
        """Make the answer of an error."""
        problem = self._problem(event, error)
        represented = represent(problem, event.format)
        body = represented.body
        headers = [
            (b"content-type", represented.media_type.encode("latin-1")),
            (b"content-length", b"%d" % len(body)),
        ]
        if problem.status in BODILESS:
            headers, body = [], b""
        headers += [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in problem.headers
            if name.lower() not in _OURS
        ]
        return response_of(problem.status, headers, body)

    def _problem(self, event: RequestEvent, error: BaseException) -> Problem:
        raised = behind(error)
        if isinstance(raised, ClientDisconnect):
            raise raised  # the client is gone
        for cls in type(raised).__mro__ if event.calling or isinstance(raised, HandlerTimeout) else ():
            status = self._errors.get(cls)
            if status is not None:
                return Problem(problems.DECLARED, message_of(raised) or cls.__name__, status=status)
        if isinstance(raised, HTTPException):
            if not _LEAST <= raised.status_code <= _MOST:
                return internal(
                    UsageError(f"HTTPException({raised.status_code}): expected {_LEAST} to {_MOST}")
                )
            headers = list((raised.headers or {}).items())
            return Problem(problems.DECLARED, raised.detail, status=raised.status_code, headers=headers)
        made_meanwhile = isinstance(raised, Taken) and event.created and raised.field in event.uri_variables
        if made_meanwhile and asks_for_none(event):
            return Problem(problems.PRECONDITION, THERE_IS_ONE)
        if isinstance(raised, UsageError) and not isinstance(raised, WrongMiddleware):
            return internal(raised)  # a mistake of the application, not of the caller
        if event.handling and self._message is not None:
            error = handler_error(self._message, as_exception(error))
        return explain(error, self._retry_after)
