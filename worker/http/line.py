"""One line of an NDJSON batch: what it may hold, and reading it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from worker.errors import Fault, InvalidMessage
from worker.http.body import too_large
from worker.http.explanation import unknown_type
from worker.http.intake import Intake
from worker.messaging.declaration import MessageType
from worker.messaging.faults import collect
from worker.messaging.identity import is_id
from worker.messaging.validation import decode, malformed

MAX_DELAY = 10 * 366 * 86_400.0
"""Seconds; what is later than this is a mistake."""
MAX_KEY = 1024


class Line(msgspec.Struct):
    """A line as written; ``delay`` is in seconds."""

    type: str
    data: msgspec.Raw
    id: str | None = None
    key: str | None = None
    delay: float = 0.0


class Order(msgspec.Struct):
    """A line that can be taken: its command, read, and the line's other members."""

    declared: MessageType
    message: Any
    line: Line


class _Loose(msgspec.Struct):
    type: str
    data: Any
    id: str | None = None
    key: str | None = None
    delay: float = 0.0


_read = msgspec.json.Decoder(Line).decode


def lines_of(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line that is not blank."""
    start = 0
    number = 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        raw = body[start:end].strip()
        if raw:
            yield number, raw
        number += 1
        start = end + 1


def type_of(raw: bytes) -> str | None:
    """Name of the type that a line is of, None where it cannot be read."""
    try:
        return _read(raw).type
    except (ValueError, RecursionError):
        return None


def read_order(raw: bytes, intake: Intake, max_body: int) -> Order:
    """Read a line.

    Raises:
        WorkerError: one that names all that is wrong with it.
    """
    if len(raw) > max_body:
        raise too_large(max_body)
    try:
        line = _read(raw)
    except (ValueError, RecursionError) as error:
        raise _unreadable(raw, error) from error
    declared = intake.commands.get(line.type)
    if declared is None:
        raise unknown_type(line.type, "command", intake.commands)
    faults = list(_faults(line, intake.is_inline(declared)))
    message = None
    try:
        message = decode(declared, bytes(line.data))
    except InvalidMessage as error:
        faults.extend(Fault(f"/data{fault.pointer}", fault.message) for fault in error.faults)
    if faults:
        raise InvalidMessage(declared.name, faults)
    return Order(declared, message, line)


def _faults(line: Line, inline: bool) -> Iterator[Fault]:
    if line.id is not None and not is_id(line.id):
        yield Fault("/id", "expected a UUID")
    if line.key is not None and not 1 <= len(line.key) <= MAX_KEY:
        yield Fault("/key", f"expected 1 to {MAX_KEY} characters")
    if not 0 <= line.delay <= MAX_DELAY:
        yield Fault("/delay", f"expected seconds, 0 to {MAX_DELAY:.0f}")
    if line.delay and inline:
        yield Fault("/delay", "a command that is handled at once cannot be delayed")


def _unreadable(raw: bytes, error: Exception) -> Exception:
    try:
        data = msgspec.json.decode(raw)
    except msgspec.ValidationError:
        return InvalidMessage("line", collect(_Loose, None, error))
    except (ValueError, RecursionError) as bad:
        return malformed(raw, bad)
    return InvalidMessage("line", collect(_Loose, data, error))
