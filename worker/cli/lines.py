"""NDJSON of commands: reads lines, sends them in chunks, and lets a bad one fail alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

import msgspec

from worker.cli.lookup import command_names
from worker.cli.sending import INLINE, CommandFailed, Options, send_one
from worker.errors import Fault, InvalidMessage, UnknownType
from worker.messaging.declaration import MessageType
from worker.messaging.faults import collect
from worker.messaging.identity import is_id
from worker.messaging.raising import as_exception, is_failure
from worker.messaging.validation import decode, malformed
from worker.suggestion import hint

if TYPE_CHECKING:
    from worker.wiring.client import Client

CHUNK = 500
"""Lines that are under way at once."""


class Line(msgspec.Struct):
    """A line as written; ``delay`` is in seconds."""

    type: str
    data: msgspec.Raw
    id: str | None = None
    key: str | None = None
    delay: float = 0.0


class _Loose(msgspec.Struct):
    type: str
    data: Any
    id: str | None = None
    key: str | None = None
    delay: float = 0.0


class Fate(msgspec.Struct):
    """What became of a line: the answer, or the error that kept it from being taken."""

    number: int
    answer: dict[str, Any] | None = None
    error: Exception | None = None


async def send_lines(
    client: Client, source: IO[bytes], token: str | None, told: Callable[[Fate], None]
) -> None:
    """Send every line of ``source`` and tell what became of each, in order.

    What is handled at once goes alone, in its place; the rest share the broker's batches.
    """
    for chunk in _chunks(client, source):
        fates = await asyncio.gather(*(_send(client, number, raw, token) for number, raw in chunk))
        for fate in fates:
            told(fate)


def _chunks(client: Client, source: IO[bytes]) -> Iterator[list[tuple[int, bytes]]]:
    inline = any(client.route_of(message) == INLINE for message in client.registry.of_kind("command"))
    size = 1 if inline else CHUNK
    chunk: list[tuple[int, bytes]] = []
    for number, raw in enumerate(source, start=1):
        if raw.strip():
            chunk.append((number, raw.strip()))
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _send(client: Client, number: int, raw: bytes, token: str | None) -> Fate:
    try:
        declared, message, line = read_line(client, raw)
        options = Options(id=line.id, key=line.key, delay=line.delay, token=token)
        return Fate(number, answer=await send_one(client, declared, message, options))
    except BaseException as error:
        if not is_failure(error):
            raise
        return Fate(number, error=as_exception(error))


def read_line(client: Client, raw: bytes) -> tuple[MessageType, Any, Line]:
    """Read a line into its command.

    Raises:
        Malformed: it is no JSON.
        UnknownType: no such command is declared.
        InvalidMessage: with every fault.
    """
    try:
        line = msgspec.json.decode(raw, type=Line)
    except (ValueError, RecursionError) as error:
        raise _unreadable(raw, error) from error
    declared = client.registry.by_name.get(line.type)
    if declared is None or declared.kind != "command":
        raise UnknownCommand(line.type, command_names(client.registry))
    faults = list(_faults(line))
    message = None
    try:
        message = decode(declared, bytes(line.data))
    except InvalidMessage as error:
        faults.extend(Fault(f"/data{fault.pointer}", fault.message) for fault in error.faults)
    if faults:
        raise InvalidMessage(declared.name, faults)
    return declared, message, line


class UnknownCommand(UnknownType):
    """A line names a command that is not declared."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(name)
        self.args = (f"no command {name!r} is declared{hint(name, known)}",)


def problem_of(error: Exception) -> dict[str, Any]:
    """Return the problem document that HTTP answers a line with."""
    from worker.http.explanation import explain

    if isinstance(error, CommandFailed):
        return {"type": "about:blank", "title": "The command failed", "status": 500, "detail": str(error)}
    return explain(error, lambda _: 5.0).document()


def _faults(line: Line) -> Iterator[Fault]:
    if line.id is not None and not is_id(line.id):
        yield Fault("/id", "expected a UUID")
    if line.key is not None and not line.key:
        yield Fault("/key", "expected text")
    if not 0 <= line.delay < float("inf"):
        yield Fault("/delay", "expected seconds, 0 or more")


def _unreadable(raw: bytes, error: Exception) -> Exception:
    try:
        data = msgspec.json.decode(raw)
    except (ValueError, RecursionError) as bad:
        return malformed(raw, bad)
    return InvalidMessage("line", collect(_Loose, data, error))
