"""Writing a received message again: what was not changed stays as it came, known or not, the bytes of its data too."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from worker.messaging.cloudevents import BINARY_IDS, CONTENT_TYPE, JSON, EventIn, binary_attributes, is_json
from worker.messaging.envelope import Envelope
from worker.messaging.stamps import Stamp, UnknownStamp, name_of

Members = dict[str, Any]
"""Members of an event in structured mode, in their order; what is a ``msgspec.Raw`` is written as it came."""

_NUMBERS = ("attempt", "dataversion")
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_any = msgspec.json.Decoder().decode
_event = msgspec.json.Decoder(EventIn, strict=False).decode
_write = msgspec.json.Encoder().encode


def attributes_in(headers: Mapping[str, str]) -> dict[str, str] | None:
    """Return the attributes that are known of an event in binary mode; None where it is in another."""
    if headers.get("content-type") == CONTENT_TYPE or BINARY_IDS.isdisjoint(headers):
        return None
    return binary_attributes(headers)


def structured(body: bytes, headers: Mapping[str, str]) -> tuple[EventIn, Members] | None:
    """Return what is known of an event, and all its members; None where it is none, but a bare body.

    In binary mode it is the same event in structured mode: all attributes, and the same data, in base64 where it is
    no JSON.

    Raises:
        ValueError: it cannot be read.
    """
    known = attributes_in(headers) if headers else None
    if known is not None:
        return _from_binary(body, headers, known)
    members: Members = dict(_raw(body))
    return (_event(body), members) if {"specversion", "id", "type"} <= members.keys() else None


def as_structured(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Write what came in binary mode as the same event in structured mode; its bytes where it is none.

    Its data may be anything: what is no JSON is in base64.
    """
    try:
        found = structured(body, headers) if headers else None
        return body if found is None else _write(found[1])
    except Exception:  # headers that no attribute can be made of
        return body


def rewritten(
    envelope: Envelope[Any], event: EventIn, members: Members, kinds: Mapping[str, type[Stamp]]
) -> Members:
    """Put what differs between an event and an envelope into the event's members; the data stays.

    Args:
        envelope: that was read from the event, and changed.
        event: its attributes as they came.
        members: all that came.
        kinds: classes of stamps by name.
    """
    now = {
        "id": (event.id, envelope.id),
        "source": (event.source or "", envelope.source),
        "time": (event.time or "", envelope.time),
        "subject": (event.subject, envelope.key),
        "correlationid": (event.correlationid, envelope.correlation_id),
        "causationid": (event.causationid, envelope.causation_id),
        "traceparent": (event.traceparent, envelope.traceparent),
        "attempt": (event.attempt or 1, envelope.attempt),
        "dataversion": (event.dataversion or 1, envelope.version),
    }
    changed: Members = {name: after for name, (before, after) in now.items() if before != after}
    stamps = _stamps(event.stamps, envelope, kinds)
    if stamps != event.stamps:
        changed["stamps"] = stamps
    return {name: value for name, value in (members | changed).items() if value is not None}


def with_data(members: Members, data: Any) -> Members:
    """Put other data in the place of what is there."""
    found = {("data" if name == "data_base64" else name): value for name, value in members.items()}
    return {**found, "data": data, "datacontenttype": JSON}


def write_stamps(stamps: Mapping[str, Any]) -> str:
    """Write stamps by name as the text that travels."""
    return _write(stamps).decode()


def value_of(stamp: Stamp) -> Any:
    """What is written of a stamp."""
    return stamp.value if type(stamp) is UnknownStamp else stamp


def _from_binary(
    body: bytes, headers: Mapping[str, str], known: Mapping[str, str]
) -> tuple[EventIn, Members]:
    event = msgspec.convert({"specversion": "1.0", **known}, EventIn, strict=False)
    members: Members = {"specversion": "1.0", **(binary_attributes(headers, every=True) or {})}
    members |= {name: getattr(event, name) for name in _NUMBERS if name in members}
    if is_json(event.datacontenttype) and _is_document(body):
        members["data"] = msgspec.Raw(body)
    else:
        members["data_base64"] = base64.b64encode(body).decode()
    return event, {name: value for name, value in members.items() if value is not None}


def _is_document(body: bytes) -> bool:
    try:
        _any(body)
    except (ValueError, RecursionError):
        return False
    return True


def _stamps(text: str | None, envelope: Envelope[Any], kinds: Mapping[str, type[Stamp]]) -> str | None:
    """Write the stamps that travel; those that are as they came keep their bytes, and members that are not known."""
    came: dict[str, msgspec.Raw] = _raw(text) if text else {}
    stamps = {name_of(stamp): stamp for stamp in envelope.stamps if stamp.travels}
    kept = {name for name, stamp in stamps.items() if name in came and _is_same(stamp, came[name], kinds)}
    if kept == stamps.keys() == came.keys():
        return text
    found: dict[str, Any] = {name: value for name, value in came.items() if name in stamps}
    found |= {name: value_of(stamp) for name, stamp in stamps.items() if name not in kept}
    return write_stamps(found) if found else None


def _is_same(stamp: Stamp, came: msgspec.Raw, kinds: Mapping[str, type[Stamp]]) -> bool:
    value = msgspec.json.decode(came)
    if isinstance(stamp, UnknownStamp):
        return bool(stamp.value == value)
    kind = kinds.get(name_of(stamp))
    try:
        return kind is not None and stamp == msgspec.convert(value, kind)
    except Exception:  # as it came it does not fit: what is there now is written
        return False
