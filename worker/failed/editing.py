"""Editing: new data in a failed message's envelope; everything else about it stays, known here or not."""

from __future__ import annotations

from typing import Any

import msgspec

from worker.errors import UsageError
from worker.failed.documents import event_of
from worker.failed.replay import read
from worker.messaging.bus import wrap
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.failure import Failure
from worker.messaging.identity import Clock
from worker.messaging.serializer import Serializer
from worker.messaging.stamps import Replay
from worker.messaging.validation import decode_data


def edited(failure: Failure, data: Any, registry: Registry, serializer: Serializer, clock: Clock) -> bytes:
    """Make the body that a failed message has with new data, under the same id.

    Args:
        failure: the row.
        data: decoded JSON.
        registry: the declared types.
        serializer: reads the row's bytes.
        clock: the time of an envelope that has to be made anew.

    Raises:
        InvalidMessage: the data does not fit the type; carries every fault.
        UsageError: the message's type is unknown, so nothing says what would fit.
    """
    declared = registry.by_name.get(failure.type or "")
    if declared is None:
        known = f"its type {failure.type!r} is not declared" if failure.type else "its type could not be read"
        raise UsageError(f"failed message {failure.id} cannot be edited: {known}; retry or remove it")
    message = decode_data(declared, data)
    envelope = read(serializer, registry, failure)
    if envelope is None:
        mended = _mended(failure, declared, message)
        envelope = read(serializer, registry, mended) if mended is not None else None
        if mended is None or envelope is None:
            made = wrap(message, declared, registry.application, clock, id=failure.id, key=failure.key)
            return serializer.encode(made)
        failure = mended
    key = declared.key_of(message) if declared.key is not None else envelope.key
    changed = msgspec.structs.replace(envelope, message=message, key=key).without(Replay)
    return serializer.onward(changed, failure.body, edited=True)


def _mended(failure: Failure, declared: MessageType, message: Any) -> Failure | None:
    """Put data that fits into a CloudEvent whose data did not; None where the bytes are no CloudEvent."""
    if event_of(failure.body) is None:
        return None
    members: dict[str, Any] = dict(msgspec.json.decode(failure.body, type=dict[str, msgspec.Raw]))
    members.pop("data_base64", None)
    body = msgspec.json.encode({**members, "type": declared.name, "data": declared.data_of(message)})
    return msgspec.structs.replace(failure, body=body)
