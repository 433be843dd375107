"""CloudEvents 1.0 on the wire: the attributes as structs, and what is read besides the usual form."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from worker.errors import WorkerError
from worker.messaging.envelope import Undecodable

CONTENT_TYPE = "application/cloudevents+json"
JSON = "application/json"
_PREFIXES = ("ce_", "ce-", "cloudEvents:", "cloudEvents_")
BINARY_IDS = frozenset(f"{prefix}id" for prefix in _PREFIXES)
"""Header names of an event's id in binary mode."""
ABSENT = msgspec.Raw(b"")
"""Stands for data that is not there."""
_LONGEST = 255
"""Characters of an id or type that tables keep."""

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
"""CloudEvents integers have 32 bits."""


class UndecodableMessage(WorkerError):
    """The bytes are no message: not JSON, no CloudEvent, or data that does not fit the type."""


class EventOut(msgspec.Struct, omit_defaults=True, gc=False):
    """Attributes as written, in this order."""

    specversion: str
    id: str
    type: str
    source: str
    data: Any
    datacontenttype: str | None = None
    time: str = ""
    subject: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    attempt: int = 0
    dataversion: int = 0
    stamps: str | msgspec.Raw | None = None
    """As text; ``Raw`` where it is written already."""


class EventIn(msgspec.Struct, kw_only=True, gc=False):
    """An event of any type; its data is read later. ``null`` counts as absent, as the JSON event format says."""

    specversion: Literal["1.0"]
    id: _Id
    type: str
    source: str | None = None
    time: str | None = None
    subject: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    attempt: _Count | None = 1
    dataversion: _Count | None = 1
    stamps: str | None = None
    data: msgspec.Raw = ABSENT
    datacontenttype: str | None = None
    data_base64: str | None = None


_DATA = {"data", "data_base64"}
_ATTRIBUTES = frozenset(EventIn.__struct_fields__) - _DATA


def data_of(event: EventIn) -> Any:
    """Data that is absent, in base64 or of another content type than usual.

    Raises:
        ValueError: it cannot be JSON.
    """
    if not is_json(event.datacontenttype):
        raise ValueError(f"its content type is {event.datacontenttype!r}, expected JSON")
    if event.data_base64 is None:
        if event.data is ABSENT:
            raise ValueError("there is none")
        return event.data
    if event.data is not ABSENT:
        raise ValueError("both data and data_base64 are there")
    return base64.b64decode(event.data_base64, validate=True)


def is_json(content_type: str | None) -> bool:
    """Whether data of a content type is JSON; it is where none is given."""
    kind = (content_type or JSON).partition(";")[0].strip().lower()
    return kind in {JSON, "text/json"} or kind.endswith("+json")


def undecodable(body: bytes, error: Exception, attributes: Any) -> Undecodable:
    """Keep the bytes, and of the attributes what can be read and kept."""
    if isinstance(attributes, EventIn):
        attributes = {"type": attributes.type, "id": attributes.id, "attempt": attributes.attempt}
    known = attributes if isinstance(attributes, Mapping) else {}
    attempt = known.get("attempt")
    return Undecodable(
        body=body,
        error=error,
        type=_printable(known.get("type")),
        id=_printable(known.get("id")),
        attempt=attempt if type(attempt) is int and 1 <= attempt < 2**31 else 1,
    )


def _printable(value: object) -> str | None:
    return value if isinstance(value, str) and 1 <= len(value) <= _LONGEST and value.isprintable() else None


def binary_attributes(headers: Mapping[str, str], *, every: bool = False) -> dict[str, str] | None:
    """Attributes of an event in binary mode; None where the content type says that the body is one itself.

    Those that are read; with ``every`` also those that are not known here.
    """
    found = {}
    for name, value in headers.items():
        if name.lower() in {"content-type", "content_type"}:
            if value.lower().startswith("application/cloudevents"):
                return None
            found["datacontenttype"] = value
        for prefix in _PREFIXES:
            attribute = name.removeprefix(prefix)
            if attribute != name and (attribute in _ATTRIBUTES or (every and attribute not in _DATA)):
                found[attribute] = value
    return found if "type" in found else None


def binary_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of a delivery's headers that belong to an event in binary mode; none where it is in another."""
    if binary_attributes(headers) is None or BINARY_IDS.isdisjoint(headers):
        return {}
    return {
        name: value
        for name, value in headers.items()
        if name.startswith(_PREFIXES) or name.lower() in {"content-type", "content_type"}
    }


def loosely(body: bytes) -> Any:
    """Read whatever JSON it is; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
