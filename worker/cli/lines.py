"""NDJSON of commands: reads lines, sends them in chunks, and lets a bad one fail alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

import msgspec

from worker.cli.sending import INLINE, CommandFailed, Options, send_one
from worker.errors import UnknownType
from worker.messaging.declaration import MessageType
from worker.messaging.line import Order, read_order
from worker.messaging.raising import as_exception, is_failure
from worker.suggestion import hint

if TYPE_CHECKING:
    from worker.wiring.client import Client

CHUNK = 500
"""Lines that are under way at once."""


class Fate(msgspec.Struct):
    """What became of a line: the answer, or the error that kept it from being taken."""

    number: int
    answer: dict[str, Any] | None = None
    error: Exception | None = None


async def send_lines(client: Client, source: IO[bytes], told: Callable[[Fate], None]) -> None:
    """Send every line of ``source`` and tell what became of each, in order.

    What is handled at once goes alone, in its place; the rest share the broker's batches.
    """
    registry = client.registry
    commands = {name: declared for name, declared in registry.by_name.items() if declared.kind == "command"}
    for chunk in _chunks(client, source):
        fates = await asyncio.gather(*(_send(client, commands, number, raw) for number, raw in chunk))
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


async def _send(client: Client, commands: Mapping[str, MessageType], number: int, raw: bytes) -> Fate:
    try:
        order = read_line(client, commands, raw)
        options = Options(id=order.line.id, key=order.line.key, delay=order.line.delay)
        return Fate(number, answer=await send_one(client, order.declared, order.message, options))
    except BaseException as error:
        if not is_failure(error):
            raise
        return Fate(number, error=as_exception(error))


def read_line(client: Client, commands: Mapping[str, MessageType], raw: bytes) -> Order:
    """Read a line into its command.

    Raises:
        Malformed: it is no JSON.
        UnknownType: no such command is declared.
        InvalidMessage: with every fault.
    """
    try:
        return read_order(raw, commands, lambda declared: client.route_of(declared) == INLINE)
    except UnknownType as error:
        raise UnknownCommand(error.name, list(commands)) from None


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
