"""The lines of an NDJSON batch, over HTTP and on the command line: what one may hold, and reading them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from worker.errors import Fault, InvalidMessage, UnknownType
from worker.messaging.declaration import MessageType
from worker.messaging.door import read_for
from worker.messaging.faults import collect
from worker.messaging.limits import delay_fault, id_fault, key_fault
from worker.messaging.validation import malformed
from worker.tokens.principal import ANYONE, Principal

CHUNK = 500
"""Lines under way at once."""


class Line(msgspec.Struct, forbid_unknown_fields=True):
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


class _Loose(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    data: Any
    id: str | None = None
    key: str | None = None
    delay: float = 0.0


class _Name(msgspec.Struct):
    type: str


_read = msgspec.json.Decoder(Line).decode
_name = msgspec.json.Decoder(_Name).decode


class Lines:
    """Reads the lines of batches.

    Args:
        commands: the commands that can be sent, by name.
        is_inline: whether a command is handled at once; such cannot be delayed.
    """

    def __init__(self, commands: Mapping[str, MessageType], is_inline: Callable[[MessageType], bool]) -> None:
        self._commands = commands
        self._is_inline = is_inline
        self._any_inline = any(map(is_inline, commands.values()))

    def chunks(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
        """Yield numbered lines by those that may be under way together; blank ones are left out.

        One that is handled at once goes alone, to keep its place.
        """
        chunk: list[tuple[int, bytes]] = []
        for number, line in lines:
            raw = line.strip()
            if not raw:
                continue
            alone = self._any_inline and self._handled_at_once(raw)
            if alone and chunk:
                yield chunk
                chunk = []
            chunk.append((number, raw))
            if alone or len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def read(self, raw: bytes, principal: Principal = ANYONE) -> Order:
        """Read a line, without its end, as its sender's token lets it be meant.

        Raises:
            Malformed: it is no JSON.
            UnknownType: it names no command.
            InvalidMessage: something does not fit; carries every fault, those of the data under ``/data``.
            Forbidden: the token reaches nothing of what it is about.
        """
        faults: list[Fault] = []
        try:
            line = _read(raw)
        except (ValueError, RecursionError) as error:
            line, faults = _read_loosely(raw, error)
        declared = self._commands.get(line.type)
        if declared is None:
            raise UnknownType(line.type)
        faults += _faults(line, self._is_inline(declared))
        message = None
        try:
            message = read_for(principal, declared, bytes(line.data))
        except InvalidMessage as error:
            faults += [Fault(f"/data{fault.pointer}", fault.message) for fault in error.faults]
        if faults:
            raise InvalidMessage(declared.name, faults)
        return Order(declared, message, line)

    def _handled_at_once(self, raw: bytes) -> bool:
        """Whether its command is, whatever else is wrong with the line."""
        try:
            declared = self._commands.get(_name(raw).type)
        except (ValueError, RecursionError):
            return False
        return declared is not None and self._is_inline(declared)


def _faults(line: Line, inline: bool) -> Iterator[Fault]:
    for pointer, text in (
        ("/id", id_fault(line.id)),
        ("/key", key_fault(line.key)),
        ("/delay", delay_fault(line.delay, inline=inline)),
    ):
        if text is not None:
            yield Fault(pointer, text)


def _read_loosely(raw: bytes, error: Exception) -> tuple[Line, list[Fault]]:
    """Find what is wrong with a line, and read what is right about it, for the faults of its data."""
    try:
        data = msgspec.json.decode(raw)
    except msgspec.ValidationError:
        raise InvalidMessage("line", collect(_Loose, None, error)) from error
    except (ValueError, RecursionError) as bad:
        raise malformed(raw, bad) from error
    faults = collect(_Loose, data, error)
    if not isinstance(data, dict) or not isinstance(data.get("type"), str) or "data" not in data:
        raise InvalidMessage("line", faults) from error
    wrong = {fault.pointer.partition("/")[2] for fault in faults}
    known = {name: data[name] for name in ("id", "key", "delay") if name in data and name not in wrong}
    return Line(data["type"], msgspec.Raw(msgspec.json.encode(data["data"])), **known), faults
