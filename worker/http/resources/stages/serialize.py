"""Serialize: the result becomes a body."""

from __future__ import annotations

from starlette.responses import Response

from worker.http.resources.answering import Answers
from worker.resources.event import RequestEvent


class Serialize:
    """Writes the result; a response passes as it is."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def __call__(self, event: RequestEvent) -> None:
        """Write it in the request's format; what it becomes is the result from now on."""
        if event.leaves_out("respond"):
            return
        result = event.result
        if isinstance(result, Response):
            return
        event.subject = result
        if result is None and event.operation.is_delete:
            event.result = b""
            return
        event.media_type, event.result = self._answers.written(result, event)
