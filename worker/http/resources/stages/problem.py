"""Problem: an error becomes an answer."""

from __future__ import annotations

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from worker.errors import InvalidMessage, Unavailable, UsageError, WrongMiddleware
from worker.http import problems
from worker.http.dispatch import handler_error
from worker.http.explanation import explain, internal
from worker.http.problems import Problem
from worker.http.resources.representing import problem as represented
from worker.http.resources.stages.respond import response_of
from worker.messaging.declaration import MessageType
from worker.raising import as_exception, behind
from worker.resources.event import RequestEvent
from worker.resources.operation import Operation
from worker.texts import message_of

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

    async def invalid(self, event: RequestEvent) -> None:
        """Answer data that does not fit, and nothing else."""
        if isinstance(event.error, InvalidMessage) and not event.handling:
            event.response = self.answer(event, event.error)

    async def any(self, event: RequestEvent) -> None:
        """Answer whatever it is."""
        if event.error is not None:
            event.response = self.answer(event, event.error)

    def answer(self, event: RequestEvent, error: BaseException) -> Response:
        """Make the answer of an error."""
        problem = self._problem(event, error)
        media_type, body = represented(problem, event.format)
        headers = [
            (b"content-type", media_type.encode("latin-1")),
            (b"content-length", b"%d" % len(body)),
        ]
        headers += [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in problem.headers
        ]
        return response_of(problem.status, headers, body)

    def _problem(self, event: RequestEvent, error: BaseException) -> Problem:
        raised = behind(error)
        if isinstance(raised, ClientDisconnect):
            raise raised  # there is nobody to answer
        for cls in type(raised).__mro__ if event.calling else ():
            status = self._errors.get(cls)
            if status is not None:
                return Problem(problems.DECLARED, message_of(raised) or cls.__name__, status=status)
        if isinstance(raised, HTTPException):
            headers = list((raised.headers or {}).items())
            return Problem(problems.DECLARED, raised.detail, status=raised.status_code, headers=headers)
        if isinstance(raised, UsageError) and not isinstance(raised, WrongMiddleware):
            return internal(raised)  # a mistake of the application, and none of who asks
        if event.handling and self._message is not None:
            error = handler_error(self._message, as_exception(error))
        return explain(error, self._retry_after)
