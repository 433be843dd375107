"""Outline: what a message says about itself, read without its data, so that no code of the application runs."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from worker.messaging.declaration import Registry
from worker.messaging.envelope import Envelope
from worker.messaging.identity import derive_id, is_id
from worker.messaging.rewriting import structured
from worker.messaging.stamps import Abandoned, Handled, Replay, Stamp, UnknownStamp, kind_name

_NO_DIGEST = "00000000-0000-7000-8000-000000000000"
_OWN: Mapping[str, type[Stamp]] = {kind_name(kind): kind for kind in (Replay, Handled, Abandoned)}


def bare_id(body: bytes, native_id: str) -> str:
    """Make the id of a message without one: the broker's where that is one, else one that follows from both."""
    digest = hashlib.sha256(body).hexdigest()
    return native_id if is_id(native_id) else derive_id(native_id or _NO_DIGEST, digest)


def outline(
    registry: Registry, body: bytes, headers: Mapping[str, str], types: Sequence[str], native_id: str
) -> Envelope[msgspec.Raw] | None:
    """Read the attributes of an event, and the worker's own of its stamps; the others are kept unread.

    None where it is no event of a type that is known, nor a bare body on a queue of one type.
    """
    try:
        found = structured(body, headers)
    except Exception:
        return None
    if found is None and len(types) == 1:
        message_id = bare_id(body, native_id)
        return Envelope(message=msgspec.Raw(body), type=types[0], id=message_id, correlation_id=message_id)
    if found is None or found[0].type not in registry.by_name or not found[0].id.isprintable():
        return None
    event = found[0]
    stamps: list[Stamp] = []
    if event.stamps:
        with contextlib.suppress(ValueError):
            for name, value in msgspec.json.decode(event.stamps, type=dict[str, object]).items():
                kind = _OWN.get(name)
                stamps.append(msgspec.convert(value, kind) if kind else UnknownStamp(name, value))
    return Envelope(
        message=event.data,
        type=registry.by_name[event.type].name,
        id=event.id,
        source=event.source or "",
        time=event.time or "",
        correlation_id=event.correlationid,
        causation_id=event.causationid,
        key=event.subject,
        attempt=event.attempt or 1,
        traceparent=event.traceparent,
        version=event.dataversion or 1,
        stamps=tuple(stamps),
    )
