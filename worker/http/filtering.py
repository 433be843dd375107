"""Filters of the failure store, from a query string or a JSON body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from worker.errors import Fault, InvalidMessage
from worker.failed.filters import NAMES, parse_filter
from worker.http.endpoint import Parameter
from worker.http.parameters import invalid
from worker.messaging.failure import Filter
from worker.messaging.faults import collect
from worker.messaging.validation import malformed

MAX_LIMIT = 1000
DEFAULT_LIMIT = 50
TIME = {"anyOf": [{"format": "date-time"}, {"pattern": "^[0-9]{1,9}[smhdw]$"}]}
"""JSON Schema of what may stand for a time."""

Text = Annotated[str, Meta(min_length=1, pattern="^[^\\x00]+$")]
Time = Annotated[str, Meta(description="RFC 3339, or an age like 2h or 7d", extra_json_schema=TIME)]


class RetryAll(msgspec.Struct, forbid_unknown_fields=True):
    """All failed messages; said out loud, so that an empty filter is a mistake."""

    all: Literal[True]


class RetryChosen(msgspec.Struct, forbid_unknown_fields=True):
    """Failed messages by ids, or by filters which must all hold; at least one."""

    ids: Annotated[list[Text], Meta(min_length=1)] | UnsetType = UNSET
    type: Text | UnsetType = UNSET
    transport: Text | UnsetType = UNSET
    queue: Text | UnsetType = UNSET
    error: Text | UnsetType = UNSET
    group: Text | UnsetType = UNSET
    since: Time | UnsetType = UNSET
    until: Time | UnsetType = UNSET


def from_query(
    values: Mapping[str, str], now: float, found: Sequence[Fault] = ()
) -> tuple[Filter, int, str | None]:
    """Return the filter, the page's size and the cursor; ``found`` are faults of the query string that are known already.

    Raises:
        Problem: a value does not fit; all such are named.
    """
    faults = list(found)
    limit = values.get("limit", str(DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 4 and 1 <= int(limit) <= MAX_LIMIT):
        faults.append(Fault("/limit", f"expected 1 to {MAX_LIMIT}"))
    chosen = Filter()
    try:
        chosen = parse_filter({name: text for name, text in values.items() if name in NAMES}, now)
    except InvalidMessage as error:
        faults.extend(error.faults)
    if "\0" in (cursor := values.get("next", "-")) or not cursor:
        faults.append(Fault("/next", "expected the next of a page before"))
    if faults:
        raise invalid(faults)
    return chosen, int(limit), values.get("next")


def from_body(body: bytes, now: float) -> Filter:
    """Return the filter of a bulk retry.

    Raises:
        Malformed: it is no JSON.
        InvalidMessage: something does not fit, or nothing is chosen.
    """
    data = read_json(body, dict[str, Any]) if body.strip() else {}
    if "all" in data:
        read_json(body, RetryAll)
        return Filter()
    asked: RetryChosen = read_json(body, RetryChosen) if data else RetryChosen()
    given: dict[str, Any] = {name: text for name in NAMES if (text := getattr(asked, name)) is not UNSET}
    if not given and isinstance(asked.ids, UnsetType):
        raise InvalidMessage("filter", [Fault("", 'expected a filter; {"all": true} for all')])
    chosen = parse_filter(given, now)
    return (
        chosen if isinstance(asked.ids, UnsetType) else msgspec.structs.replace(chosen, ids=tuple(asked.ids))
    )


def read_json(body: bytes, cls: Any) -> Any:
    """Read JSON into one of the intake's own types.

    Raises:
        Malformed: it is no JSON.
        InvalidMessage: it does not fit; carries every fault.
    """
    try:
        return msgspec.json.decode(body, type=cls)
    except (ValueError, RecursionError) as error:
        try:
            data = msgspec.json.decode(body)
        except msgspec.ValidationError:
            raise InvalidMessage("body", collect(cls, None, error)) from error
        except (ValueError, RecursionError) as unreadable:
            raise malformed(body, unreadable) from error
        raise InvalidMessage("body", collect(cls, data, error)) from error


_PLAIN = {"type": "string", "minLength": 1, "pattern": "^[^\\x00]+$"}

PARAMETERS = (
    *(
        Parameter(name, "query", {"type": "string", **TIME} if name in {"since", "until"} else _PLAIN)
        for name in NAMES
    ),
    Parameter(
        "limit",
        "query",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
    Parameter("next", "query", _PLAIN),
)
"""What a list takes: filters, the size of a page, and the cursor of the next."""
