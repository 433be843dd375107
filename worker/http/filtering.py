"""Filters of the failure store, from a query string or a JSON body."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from worker.errors import Fault, InvalidMessage
from worker.http.parameters import invalid
from worker.messaging.faults import collect
from worker.messaging.failure import Filter
from worker.messaging.validation import malformed

NAMES = ("type", "transport", "queue", "error", "group", "since", "until")
MAX_LIMIT = 1000
DEFAULT_LIMIT = 50


class RetryRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /failed/retry`` takes; times are RFC 3339 with their offset. ``all`` stands for no filter."""

    ids: list[str] | None = None
    type: str | None = None
    transport: str | None = None
    queue: str | None = None
    error: str | None = None
    group: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    all: bool = False


def from_query(values: Mapping[str, str]) -> tuple[Filter, int, str | None]:
    """Return the filter, the page's size and the cursor.

    Raises:
        Problem: a value does not fit.
    """
    faults: list[Fault] = []
    times = {name: _seconds(name, values[name], faults) for name in ("since", "until") if name in values}
    limit = DEFAULT_LIMIT
    if "limit" in values:
        text = values["limit"]
        limit = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
        if not 1 <= limit <= MAX_LIMIT:
            faults.append(Fault("/limit", f"expected 1 to {MAX_LIMIT}"))
    texts = {name: values[name] for name in NAMES if name in values and name not in times}
    faults.extend(Fault(f"/{name}", "holds a null character") for name, text in values.items() if "\0" in text)
    if faults:
        raise invalid(faults)
    return Filter(**texts, **times), limit, values.get("next")


def from_body(body: bytes) -> Filter:
    """Return the filter of a bulk retry.

    Raises:
        Malformed: it is no JSON.
        InvalidMessage: something does not fit, or nothing is chosen.
    """
    if not body:
        raise InvalidMessage("filter", [Fault("", 'expected a filter; {"all": true} for all')])
    try:
        asked = msgspec.json.decode(body, type=RetryRequest)
    except (ValueError, RecursionError) as error:
        try:
            data = msgspec.json.decode(body)
        except (ValueError, RecursionError) as bad:
            raise malformed(body, bad) from bad
        raise InvalidMessage("filter", collect(RetryRequest, data, error)) from error
    return _filter(asked)


def _filter(asked: RetryRequest) -> Filter:
    given: dict[str, Any] = {
        name: value for name in NAMES if (value := getattr(asked, name)) is not None
    }
    faults = [Fault(f"/{n}", "holds a null character") for n, v in given.items() if isinstance(v, str) and "\0" in v]
    for name in ("since", "until"):
        if name in given:
            if given[name].tzinfo is None:
                faults.append(Fault(f"/{name}", "expected RFC 3339 with an offset"))
            given[name] = given[name].timestamp()
    if asked.ids is not None:
        given["ids"] = tuple(asked.ids)
        if not asked.ids:
            faults.append(Fault("/ids", "expected at least one id"))
    if not given and not asked.all:
        faults.append(Fault("", 'expected a filter; {"all": true} for all'))
    if given and asked.all:
        faults.append(Fault("/all", "stands alone: there is a filter"))
    if faults:
        raise InvalidMessage("filter", faults)
    return Filter(**given)


def _seconds(name: str, text: str, faults: list[Fault]) -> float | None:
    try:
        moment = msgspec.convert(text.replace(" ", "+"), datetime)
    except msgspec.ValidationError:
        moment = None
    if moment is None or moment.tzinfo is None:
        faults.append(Fault(f"/{name}", f"expected a time in RFC 3339 like 2026-01-31T12:00:00Z, not {text[:64]!r}"))
        return None
    return moment.timestamp()
