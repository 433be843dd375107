"""The command that all sides send and handle, and the CloudEvent around it that the worker writes."""

from __future__ import annotations

import datetime as dt
import uuid

import msgspec

PAD = "x" * 150
"""Makes the data of a message about 200 bytes of JSON."""


class Work(msgspec.Struct, frozen=True):
    """A command; ``sent``: when, on the machine's monotonic clock, where the delay is of interest, else 0."""

    number: int
    pad: str
    sent: float = 0.0


class Event(msgspec.Struct, frozen=True):
    """The whole body."""

    specversion: str
    id: str
    type: str
    source: str
    time: str
    datacontenttype: str
    data: Work


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Event).decode


def event(work: Work) -> Event:
    """Put a command into a body like the worker's."""
    return Event(
        specversion="1.0",
        id=str(uuid.uuid4()),
        type="Work",
        source="bench",
        time=dt.datetime.now(dt.UTC).isoformat(),
        datacontenttype="application/json",
        data=work,
    )
