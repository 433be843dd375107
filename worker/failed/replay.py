"""How a failed message is written to go back to its queue."""

from __future__ import annotations

from typing import Any

import msgspec

from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.failure import Failure
from worker.messaging.keys import carried
from worker.messaging.rewriting import as_structured
from worker.messaging.serializer import CONTENT_TYPE, Serializer
from worker.messaging.stamps import Replay
from worker.messaging.transport import Outgoing

UNREAD = "application/octet-stream"
"""Content type of bytes that go back as they came."""


def as_event(failure: Failure) -> Failure:
    """Give a row that came in binary mode as the same event in structured mode: brokers take one body, no headers."""
    if not failure.headers:
        return failure
    body = as_structured(failure.body, failure.headers)
    return msgspec.structs.replace(failure, body=body, headers={})


def read(serializer: Serializer, registry: Registry, failure: Failure) -> Envelope[Any] | None:
    """Read a row's envelope, under the row's id; None when its bytes cannot be decoded into a declared type."""
    types = (failure.type,) if failure.type is not None and failure.type in registry.by_name else ()
    found = serializer.decode(failure.body, types=types, native_id=failure.id)
    return msgspec.structs.replace(found, id=failure.id) if isinstance(found, Envelope) else None


def ticketed(serializer: Serializer, failure: Failure, envelope: Envelope[Any], ticket: str) -> Outgoing:
    """Write an envelope for its original queue, as it came: attempts count from 1, and it carries its row's ticket."""
    again = msgspec.structs.replace(envelope.with_(Replay(ticket)), attempt=1)
    return Outgoing(
        queue=failure.queue,
        id=failure.id,
        type=envelope.type,
        body=serializer.onward(again, failure.body),
        key=carried(envelope.key if envelope.key is not None else failure.key),
        priority=failure.priority,
        content_type=CONTENT_TYPE,
    )


def unchanged(failure: Failure) -> Outgoing:
    """Write what cannot be decoded: its bytes as they are, which cannot carry a ticket."""
    return Outgoing(
        queue=failure.queue,
        id=failure.id,
        type=failure.type or "",
        body=failure.body,
        key=carried(failure.key),
        priority=failure.priority,
        content_type=UNREAD,
    )
