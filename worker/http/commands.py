"""``POST /commands/{type}``: one command. The hot path: plain ASGI, and answers made of prepared parts."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope

from worker.errors import Fault, InvalidMessage
from worker.http import documents
from worker.http.answer import Answer
from worker.http.body import read_body
from worker.http.correlation import CORRELATION_ID, TRACEPARENT, correlation_id, traceparent
from worker.http.dispatch import Dispatch
from worker.http.endpoint import Endpoint, Gives, Header, Parameter
from worker.http.explanation import unknown_type
from worker.http.idempotency import IDEMPOTENCY_KEY, Repeats, key_of
from worker.http.media import JSON, MSGPACK, answer_media, media_of
from worker.http.parameters import invalid, single_values
from worker.http.ports import Ports
from worker.http.preference import PREFER, Preferred
from worker.messaging.declaration import MessageType
from worker.messaging.door import admitted, completed
from worker.messaging.envelope import Envelope
from worker.messaging.limits import MAX_KEY, delay_fault, key_fault
from worker.messaging.stamps import Delay, Sent, Stamp
from worker.messaging.status import CommandStatus
from worker.messaging.validation import decode, reader
from worker.seconds import LONGEST
from worker.tokens.principal import Principal

PREFIX = "/commands/"


class Commands:
    """Takes single commands."""

    def __init__(self, ports: Ports) -> None:
        self._max_body = ports.limits.max_body
        self._dispatch = Dispatch(ports)
        self._repeats = Repeats(ports)
        self._preferred = Preferred(ports)
        self._known = ports.registry.by_name
        self._doors = {name: _Door(declared) for name, declared in self._dispatch.commands.items()}

    async def __call__(self, request: Request) -> Answer:
        """Take one command."""
        scope = request.scope
        return await self.take(scope, dict(scope["headers"]), request.receive, request.path_params["type"])

    async def take(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, name: str) -> Answer:
        """Take one command, without a request object: making one costs time."""
        principal: Principal = scope["principal"]
        if "send" not in principal.granted:
            principal.require("send")
        door = self._doors.get(name)
        if door is None:
            raise unknown_type(name, "command", self._dispatch.commands, self._known)
        media = media_of(headers.get(b"content-type"))
        body = await read_body(receive, headers, self._max_body)
        query = scope["query_string"]
        said, faults = _said(scope, self._dispatch.is_inline(door.declared)) if query else _NOTHING_SAID
        try:
            message = door.read(body) if media == "json" else decode(door.declared, body, content_type=media)
        except InvalidMessage as error:
            whole = completed(principal, door.declared, body, media)
            if whole is None or faults:
                raise (
                    InvalidMessage(error.type_name, [*faults, *error.faults]) if faults else error
                ) from error
            message = decode(door.declared, whole, content_type=media)
        if faults:
            raise invalid(faults)
        if principal.token is not None:
            message = admitted(principal, door.declared, message)
        key = headers.get(b"idempotency-key")
        if key is None:
            envelope = await self._take(principal, door.declared, message, headers, None, said)
            answer = door.answer(envelope, headers.get(b"accept"))
        else:
            answer = await self._repeats.once(
                scope,
                key_of(key),
                b"%b?%b" % (body, query) if query else body,  # another query string makes another request
                lambda message_id: self._answer(principal, door, message, headers, message_id, said),
            )
        # a key remembers the bare answer: each repeat says for itself whether it waits
        if b"prefer" in headers:
            return await self._preferred.answer(scope, receive, door.declared, answer)
        return answer

    async def _answer(
        self,
        principal: Principal,
        door: _Door,
        message: Any,
        headers: Mapping[bytes, bytes],
        id: str,
        said: _Said,
    ) -> Answer:
        envelope = await self._take(principal, door.declared, message, headers, id, said)
        return door.answer(envelope, headers.get(b"accept"))

    def _take(
        self,
        principal: Principal,
        declared: MessageType,
        message: Any,
        headers: Mapping[bytes, bytes],
        id: str | None,
        said: _Said,
    ) -> Awaitable[Envelope[Any]]:
        return self._dispatch.take(
            principal,
            declared,
            message,
            stamps=said.stamps,
            id=id,
            key=said.key,
            correlation_id=correlation_id(headers.get(b"x-correlation-id")),
            traceparent=traceparent(headers.get(b"traceparent")),
        )


class _Said(NamedTuple):
    """What the query string says about how a command is sent."""

    stamps: tuple[Stamp, ...] = ()
    key: str | None = None


_NOTHING_SAID: tuple[_Said, list[Fault]] = (_Said(), [])


def _said(scope: Scope, inline: bool) -> tuple[_Said, list[Fault]]:
    """Read ``?delay=SECONDS&key=KEY``; any other parameter is a fault."""
    faults: list[Fault] = []
    values = single_values(scope, ("delay", "key"), faults)
    seconds = 0.0
    if "delay" in values:
        try:
            seconds = msgspec.convert(values["delay"], float, strict=False)
        except msgspec.ValidationError:
            seconds = -1.0
    for name, text in (("delay", delay_fault(seconds, inline=inline)), ("key", key_fault(values.get("key")))):
        if text is not None:
            faults.append(Fault(f"/{name}", text))
    return _Said((Delay(seconds),) if seconds > 0 and not faults else (), values.get("key")), faults


_JSON_TYPE = (b"content-type", JSON.encode())
_MSGPACK_TYPE = (b"content-type", MSGPACK.encode())


class _Door:
    """One command type, and the parts of its answers that are always the same."""

    def __init__(self, declared: MessageType) -> None:
        self.declared = declared
        self.read = reader(declared)
        # names are of letters, digits, dot, dash and underscore: nothing to escape
        middle = f'","type":"{declared.name}","status":"'
        self._queued = f"{middle}{PREFIX}".encode()
        self._done = f'{middle}done"}}'.encode()

    def answer(self, envelope: Envelope[Any], accept: bytes | None) -> Answer:
        """202 for a queued command; 201 for one that is handled."""
        id = envelope.id.encode()
        queued = envelope.get(Sent) is not None
        if accept is not None and answer_media(accept) == "msgpack":
            status = f"{PREFIX}{envelope.id}" if queued else "done"
            content = msgspec.msgpack.encode(
                {"id": envelope.id, "type": self.declared.name, "status": status}
            )
            media = _MSGPACK_TYPE
        else:
            content = b'{"id":"' + id + (self._queued + id + b'"}' if queued else self._done)
            media = _JSON_TYPE
        correlation = envelope.correlation_id
        headers = [
            media,
            (b"content-length", b"%d" % len(content)),
            (b"x-correlation-id", correlation.encode() if correlation else id),
        ]
        if queued:
            headers.append((b"location", b"/commands/" + id))
        return Answer(202 if queued else 201, headers, content)


DELAY = Parameter(
    "delay",
    "query",
    {"type": "number", "minimum": 0, "maximum": LONGEST},
    description="Seconds before which it is not handed out.",
    shared="Delay",
)
KEY = Parameter(
    "key",
    "query",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[^\\x00]+$"},
    description="Ordering key, instead of the message's own.",
    shared="Key",
)
QUEUED_ONLY = (DELAY, PREFER)
"""Parameters that mean nothing for a command that is handled before the answer."""
_CORRELATION = Header("The correlation id that the message has.")

ENDPOINTS = (
    Endpoint(
        "POST",
        "/commands/{type}",
        "send",
        Commands,
        id="post_command",
        tag="commands",
        summary="Send a command",
        each="command",
        parameters=(DELAY, PREFER, KEY, IDEMPOTENCY_KEY, CORRELATION_ID, TRACEPARENT),
        gives={
            202: Gives(
                "Taken: it is stored and will be handled. With `Prefer: wait=N` where it stands then.",
                {"anyOf": [documents.Accepted, CommandStatus]},
                headers={
                    "X-Correlation-Id": _CORRELATION,
                    "Location": Header("Where its status is."),
                    "Preference-Applied": Header("What was heeded of `Prefer`."),
                },
            ),
            201: Gives("Handled.", documents.Accepted, headers={"X-Correlation-Id": _CORRELATION}),
        },
        problems=(400, 409, 413, 415, 422, 429, 503),
    ),
)
