"""Serialize: the result becomes a body."""

from __future__ import annotations

from starlette.responses import Response

from worker.http.resources.answering import Answers
from worker.resources.event import RequestEvent


class Serialize:
    """Writes the result; a response passes as it is."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def __call__(self, event: RequestEvent) -> None:
        """Write it in the request's format; what it becomes is the result from now on."""
        if event.switches is not None and event.leaves_out("respond"):
            return
        result = event.data if event.held is None else event.held[0]
        if isinstance(result, Response):
            return
        event.subject = result
        if result is None and event.operation.is_delete:
            event.held = (b"",)
            return
        try:
            written = self._answers.written(result, event)
        except Exception as error:
            if event.set_by is not None:
                error.add_note(
                    f"the {type(result).__name__} that cannot be written was set by {event.set_by}"
                )
            raise
        event.media_type = written.media_type
        event.held = (written.body,)
