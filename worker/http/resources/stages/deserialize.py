"""Deserialize: the body becomes an object."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope

from worker.errors import InvalidMessage
from worker.http.body import read_body
from worker.http.problems import Problem
from worker.http.resources.formats import body_format, without_keywords
from worker.messaging.declaration import MessageType
from worker.messaging.door import completed
from worker.messaging.validation import ContentType
from worker.resources.event import RequestEvent
from worker.resources.operation import Operation
from worker.resources.reading import Bodies
from worker.resources.stages.read import Read


class Deserialize:
    """Reads the body.

    Args:
        operation: resolved.
        bodies: reads bodies of its kind.
        onto: whether a body is read into the object that was read.
        scoped: a type with the scopes of what is read: a field of these may be missing where a token says its values.
        max_body: bytes.
    """

    def __init__(
        self, operation: Operation, bodies: Bodies, onto: bool, scoped: MessageType | None, max_body: int
    ) -> None:
        self._format = body_format(operation.method)
        self._bodies = bodies
        self._onto = onto
        self._scoped = scoped
        self._max_body = max_body

    async def __call__(self, event: RequestEvent) -> None:
        """Read it.

        Raises:
            Problem: its content type is not read here, or it is too large.
            Malformed: it cannot be read.
            InvalidMessage: it does not fit; carries every fault.
            ClientDisconnect: the client went away before its end.
        """
        if event.switches is not None and event.leaves_out("receive"):
            return
        format = self._format(event.headers.get(b"content-type"))
        if event.unread is not None:
            raise event.unread
        body = event.body
        if body is None:
            body = await body_of(event, self._max_body)
        if format == "json_ld":
            body = _plain(body)
        content_type: ContentType = "msgpack" if format == "msgpack" else "json"
        base = event.data if self._onto else None
        try:
            event.data = self._bodies.read(body, content_type, base, event.uri_variables)
        except InvalidMessage:
            whole = None
            if self._scoped is not None:
                whole = completed(event.principal, self._scoped, body, content_type)
            if whole is None:
                raise
            event.data = self._bodies.read(whole, content_type, base, event.uri_variables)


class BodyFirst:
    """Takes the bytes of the body before the object is read: a client that sends it slowly holds nothing of the store.

    What is wrong with them is told where the body is read into the object, when the caller is known to be allowed to.

    Args:
        read: reads the object then.
        max_body: bytes.
    """

    def __init__(self, read: Read, max_body: int) -> None:
        self._read = read
        self._max_body = max_body

    async def __call__(self, event: RequestEvent) -> None:
        """Take the bytes, and read the object."""
        if not event.leaves_out("receive"):
            try:
                await body_of(event, self._max_body)
            except Problem as problem:
                event.unread = problem
        await self._read(event)


async def body_of(event: RequestEvent, max_body: int) -> bytes:
    """Return the request's body, read once; Starlette's request has it, too, from then on."""
    if event.body is None:
        read: bytes | None = getattr(event.made_request, "_body", None)  # a listener was first
        event.body = await read_body(event.receive, event.headers, max_body) if read is None else read
        if event.made_request is not None:
            event.made_request._body = event.body
    return event.body


def request_of(scope: Scope, receive: Receive, body: bytes | None) -> Request:
    """Make Starlette's request; it has the body where that was read."""
    request = Request(scope, receive)
    if body is not None:
        request._body = body
    return request


def _plain(body: bytes) -> bytes:
    """A JSON-LD body without what is about it; one that cannot be read stays as it is, and is told so."""
    try:
        data = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return body
    return msgspec.json.encode(without_keywords(data, "json_ld"))
