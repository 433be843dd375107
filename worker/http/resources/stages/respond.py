"""Respond: status, headers and body become the response."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from starlette.responses import Response

from worker.http.resources.answering import Answers
from worker.http.resources.formats import ANSWERS
from worker.http.resources.links import status_link
from worker.http.resources.stages.link import LINKED
from worker.messaging.stamps import Sent
from worker.resources.event import RequestEvent
from worker.resources.operation import Operation

BODILESS = frozenset({204, 205, 304})
"""Statuses of answers that have no body."""
RawHeaders = list[tuple[bytes, bytes]]
_NO_LENGTH = (b"content-length", b"0")


class Respond:
    """Makes the response; one that a processor or a handler has made is taken as it is.

    Args:
        operation: resolved.
        answers: know where its results are.
    """

    def __init__(self, operation: Operation, answers: Answers) -> None:
        self._answers = answers
        self._status = operation.status or 200
        self._empty = operation.output is False or self._status in BODILESS
        self._locates = operation.output is not False
        self._name = operation.name
        # an operation that may create says 201 where it did, unless it has a status of its own
        self._created = 201 if operation.allow_create and self._status == 200 else self._status

    def __call__(self, event: RequestEvent) -> None:
        """Make it."""
        if event.switches is not None and event.leaves_out("respond"):
            return
        result = event.data if event.held is None else event.held[0]
        if isinstance(result, Response):
            event.response = result
            return
        event.respond(
            self.made(event, result, result if event.subject is None else event.subject, event.media_type)
        )

    def made(self, event: RequestEvent, result: Any, subject: Any, media_type: str | None) -> Response:
        """Make the response of a result that is written.

        Args:
            event: of the request.
            result: as it was written; text, bytes or None.
            subject: what was written.
            media_type: of the result; None: the request's format.
        """
        status = self._created if event.created else self._status
        if self._empty:
            body = b""
            headers = [] if status in BODILESS else [_NO_LENGTH]
        elif body := result if type(result) is bytes else self._body(result):
            length = b"%d" % len(body)
            kind = _type_of(media_type or ANSWERS.names[event.format])
            headers = [kind, (b"content-length", length)]
        else:
            headers = [_NO_LENGTH]
        if status == 201 and self._locates:
            path = self._answers.path(subject, event.uri_variables)
            if path is not None:
                headers.append((b"location", path.encode("latin-1")))
        if event.envelope is not None:
            _of_message(event.envelope, headers)
        headers += LINKED
        return response_of(status, headers, body)

    def _body(self, result: Any) -> bytes:
        if isinstance(result, bytes):
            return result
        if isinstance(result, str):
            return result.encode()
        if result is None:
            return b""
        raise RuntimeError(
            f"{self._name}: nothing has written the {type(result).__name__} that is to be answered; "
            "the operation leaves out serialize, so a listener has to set result to text or bytes"
        )


def _of_message(envelope: Any, headers: RawHeaders) -> None:
    correlation, id = envelope.correlation_id, envelope.id.encode()
    if envelope.get(Sent) is not None:
        headers.append((b"link", status_link(id)))
    headers.append((b"x-correlation-id", correlation.encode() if correlation else id))


@lru_cache(maxsize=32)
def _type_of(media_type: str) -> tuple[bytes, bytes]:
    return b"content-type", media_type.encode("latin-1")


def response_of(status: int, headers: RawHeaders, body: bytes) -> Response:
    """Make a response of what is ready; Starlette's own constructor would write the headers again."""
    response = Response.__new__(Response)
    response.status_code = status
    response.background = None
    response.body = body
    response.raw_headers = headers
    return response
