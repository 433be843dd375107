"""Filters of failed messages, read from text as a command line or a query string has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from worker.errors import Fault, InvalidMessage
from worker.messaging.failure import Filter

NAMES = ("type", "transport", "queue", "error", "group", "since", "until")
"""What can be filtered by."""

_TIMES = ("since", "until")
_AGO = re.compile(r"^(\d{1,9})([smhdw])$")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_filter(values: Mapping[str, str], now: float) -> Filter:
    """Read a filter; names that are missing choose everything.

    Args:
        values: text by name; ``since`` (included) and ``until`` (not included) are RFC 3339 times with an
            offset, or an age like ``90s``, ``15m``, ``2h``, ``7d``, ``2w``.
        now: seconds since the epoch, from which ages count back.

    Raises:
        InvalidMessage: names every value that does not fit.
    """
    faults = [
        Fault(f"/{name}", f"is no filter; expected one of: {', '.join(NAMES)}")
        for name in values
        if name not in NAMES
    ]
    texts = {name: values[name] for name in NAMES if name in values and name not in _TIMES}
    faults += [Fault(f"/{name}", "expected text") for name, text in texts.items() if not text or "\0" in text]
    times: dict[str, float] = {}
    for name in _TIMES:
        if name in values:
            seconds = seconds_of_time(values[name], now)
            if seconds is None:
                faults.append(Fault(f"/{name}", f"{values[name][:64]!r}: {EXPECTED}"))
            else:
                times[name] = seconds
    since, until = times.get("since"), times.get("until")
    if since is not None and until is not None and since >= until:
        faults.append(Fault("/since", "expected a time before until"))
    if faults:
        raise InvalidMessage("filter", faults)
    return msgspec.convert({**texts, **times}, Filter)


EXPECTED = "expected a time like 2026-01-31T12:00:00Z, or an age like 2h or 7d"
"""What a time may look like."""


def seconds_of_time(text: str, now: float) -> float | None:
    """Read a time, or an age that counts back from ``now``, as seconds since the epoch; None where it is neither."""
    age = _AGO.match(text)
    if age is not None:
        return now - int(age[1]) * _UNITS[age[2]]
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None
