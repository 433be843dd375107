"""Editing: new data in a failed message's envelope; everything else about it stays."""

from __future__ import annotations

from typing import Any

import msgspec

from worker.errors import UsageError
from worker.failed.documents import event_of
from worker.failed.replay import read
from worker.messaging.bus import wrap
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.envelope import Envelope
from worker.messaging.failure import Failure
from worker.messaging.identity import Clock
from worker.messaging.serializer import Serializer
from worker.messaging.validation import decode_data


def edited(
    failure: Failure, data: Any, registry: Registry, serializer: Serializer, clock: Clock
) -> Envelope[Any]:
    """Make the envelope that a failed message has with new data, under the same id.

    Args:
        failure: the row.
        data: decoded JSON.
        registry: the declared types.
        serializer: reads the row's bytes.
        clock: the time of an envelope that has to be made anew.

    Raises:
        InvalidMessage: the data does not fit the type; carries every fault.
        UsageError: nobody knows the message's type, so nothing says what would fit.
    """
    declared = registry.by_name.get(failure.type or "")
    if declared is None:
        known = f"its type {failure.type!r} is not declared" if failure.type else "its type could not be read"
        raise UsageError(f"failed message {failure.id} cannot be edited: {known}; retry or remove it")
    message = decode_data(declared, data)
    envelope = read(serializer, registry, failure) or _mended(
        failure, declared, message, registry, serializer
    )
    if envelope is None:
        return wrap(message, declared, registry.application, clock, id=failure.id, key=failure.key)
    key = declared.key_of(message) if declared.key is not None else envelope.key
    return msgspec.structs.replace(envelope, message=message, key=key)


def _mended(
    failure: Failure, declared: MessageType, message: Any, registry: Registry, serializer: Serializer
) -> Envelope[Any] | None:
    """Read a CloudEvent whose data did not fit, by putting data in that does."""
    event = event_of(failure.body)
    if event is None:
        return None
    rest = {name: value for name, value in event.items() if name != "data_base64"}
    body = msgspec.json.encode({**rest, "type": declared.name, "data": message})
    return read(serializer, registry, msgspec.structs.replace(failure, body=body))
