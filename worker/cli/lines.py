"""NDJSON of commands: reads lines, sends them in chunks, and lets a bad one fail alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import msgspec

from worker.cli.sending import INLINE, CommandFailed, Options, send_one
from worker.errors import UnknownType
from worker.messaging.line import Lines, Order
from worker.raising import as_exception, is_failure
from worker.suggestion import hint
from worker.tokens.principal import ANYONE, Principal

if TYPE_CHECKING:
    from worker.wiring.console import Console


class Fate(msgspec.Struct):
    """What became of a line: the answer, or the error that kept it from being taken."""

    number: int
    answer: dict[str, Any] | None = None
    error: Exception | None = None


async def send_lines(
    client: Console, source: IO[bytes], told: Callable[[Fate], None], principal: Principal = ANYONE
) -> None:
    """Send every line of ``source`` for a caller, and tell what became of each, in order.

    What is handled at once goes alone, in its place; the rest share the broker's batches.
    """
    by_name = client.registry.by_name.items()  # and by alias
    commands = {name: declared for name, declared in by_name if declared.kind == "command"}
    lines = Lines(commands, lambda declared: client.route_of(declared) == INLINE)

    def read(raw: bytes) -> Order:
        """Read a line; the error of an unknown type suggests the names that are near."""
        try:
            return lines.read(raw, principal)
        except UnknownType as error:
            raise UnknownCommand(error.name, list(commands)) from None

    for chunk in lines.chunks(enumerate(source, start=1)):
        fates = await asyncio.gather(*(_send(client, read, number, raw, principal) for number, raw in chunk))
        for fate in fates:
            told(fate)


async def _send(
    client: Console, read: Callable[[bytes], Order], number: int, raw: bytes, principal: Principal
) -> Fate:
    try:
        order = read(raw)
        options = Options(id=order.line.id, key=order.line.key, delay=order.line.delay)
        return Fate(number, answer=await send_one(client, order.declared, order.message, options, principal))
    except BaseException as error:
        if not is_failure(error):
            raise
        return Fate(number, error=as_exception(error))


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
