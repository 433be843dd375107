"""The application under test: commands whose handlers store, wait, fail and die as the test wants.

Handlers leave marks (empty files) in the current folder and look for marks that the test leaves.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import msgspec

from tests.e2e.statements import text
from worker import App, Context, Recoverable, Reject, Retry, Unrecoverable

app = App("bank")

QUICK = Retry(max_retries=3, delay=0.1, multiplier=1.0, jitter=0.0)


def mark(kind: str, name: str) -> None:
    """Leave a mark."""
    folder = Path("marks") / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()


def marked(kind: str, name: str) -> bool:
    """Whether a mark is there."""
    return (Path("marks") / kind / name).exists()


def note(name: str, line: object) -> None:
    """Append a line to a file, in one write."""
    with Path(name).open("a") as file:
        file.write(f"{line}\n")


async def store(context: Context, table: str, number: int) -> None:
    """Add a row with the handler's transaction; nothing keeps a number from being there twice."""
    await context.session.execute(
        text(
            f"CREATE TABLE IF NOT EXISTS {table} (number INTEGER, message_id TEXT, attempt INTEGER, pid INTEGER)"
        )
    )
    await context.session.execute(
        text(f"INSERT INTO {table} VALUES (:number, :id, :attempt, :pid)"),
        {"number": number, "id": context.message_id, "attempt": context.attempt, "pid": os.getpid()},
    )


@app.command(retry=QUICK)
class Deposit(msgspec.Struct, frozen=True):
    """Stored through the session; waits before and inside the transaction. ``before`` less than 0: until the mark to release it, or all."""

    number: int
    before: float = 0.0
    inside: float = 0.0


@app.event
class Deposited(msgspec.Struct, frozen=True):
    """A deposit was stored."""

    number: int


@app.handler
async def deposit(command: Deposit, context: Context) -> None:
    """Store it, with a mark while it runs."""
    number = str(command.number)
    busy = f"{os.getpid()}.{number}"
    mark("busy", busy)
    try:
        while command.before < 0 and not (marked("release", number) or marked("release", "all")):
            await asyncio.sleep(0.02)
        await asyncio.sleep(max(0.0, command.before))
        await store(context, "deposits", command.number)
        await asyncio.sleep(command.inside)
        context.record(Deposited(command.number))
    finally:
        (Path("marks") / "busy" / busy).unlink(missing_ok=True)


@app.subscriber
async def book(event: Deposited, context: Context) -> None:
    """Store the event, under its own id."""
    await store(context, "bookings", event.number)


@app.command(retry=QUICK)
class Note(msgspec.Struct, frozen=True):
    """Noted in a file; no transaction."""

    number: int


@app.event
class Noted(msgspec.Struct, frozen=True):
    """Something was noted."""

    number: int


@app.handler
async def take_note(command: Note, context: Context) -> None:
    """Write a line."""
    note("notes", f"{command.number} {context.attempt} {os.getpid()}")
    context.record(Noted(command.number))


@app.subscriber
async def file_note(event: Noted, context: Context) -> None:
    """Write a line with the event's id."""
    note("filed", f"{event.number} {context.message_id}")


@app.command(retry=QUICK)
class Hold(msgspec.Struct, frozen=True):
    """Runs until the test releases it."""

    name: str
    data: str = ""


@app.handler
async def hold(command: Hold, context: Context) -> None:
    """Wait for the mark."""
    mark("started", f"{command.name}.{context.attempt}")
    while not marked("release", command.name) and not marked("release", "all"):
        await asyncio.sleep(0.02)
    mark("finished", f"{command.name}.{context.attempt}")


@app.command(retry=QUICK)
class Block(msgspec.Struct, frozen=True):
    """Like ``Hold``, in a thread."""

    name: str


@app.handler
def block(command: Block, context: Context) -> None:
    """Wait for the mark, deaf to cancellation."""
    mark("started", f"{command.name}.{context.attempt}")
    while not marked("release", command.name):
        time.sleep(0.02)
    mark("finished", f"{command.name}.{context.attempt}")


@app.command(retry=QUICK)
class Flaky(msgspec.Struct, frozen=True):
    """Fails a few times, then works."""

    number: int
    failures: int = 2


@app.handler
async def flaky(command: Flaky, context: Context) -> None:
    """Store, then fail: what was stored must go."""
    await store(context, "flakes", command.number)
    context.record(Deposited(command.number))
    if context.attempt <= command.failures:
        raise RuntimeError(f"attempt {context.attempt} of {command.number}")


@app.command(retry=QUICK)
class Broken(msgspec.Struct, frozen=True):
    """Fails until the test repairs it."""

    name: str
    how: str = "error"


@app.handler
async def broken(command: Broken, context: Context) -> None:
    """Fail in the way asked for, unless repaired or harmless."""
    note("broken", f"{command.name} {context.attempt}")
    if marked("fixed", command.name) or command.how == "not":
        return
    kinds = {"reject": Reject("no thanks"), "unrecoverable": Unrecoverable("hopeless")}
    if command.how == "recoverable" and context.attempt <= 6:
        raise Recoverable("a moment", delay=0.02)
    if command.how != "recoverable":
        raise kinds.get(command.how, ValueError(f"{command.name} is broken"))


@app.command(many_handlers=True, retry=QUICK)
class Pair(msgspec.Struct, frozen=True):
    """Has two handlers."""

    number: int


@app.event
class FirstDone(msgspec.Struct, frozen=True):
    """The first handler is done."""

    number: int


@app.handler(priority=10)
async def first(command: Pair, context: Context) -> None:
    """Store and tell."""
    note("pairs", f"first {command.number} {context.attempt}")
    await store(context, "firsts", command.number)
    context.record(FirstDone(command.number))


@app.handler
async def second(command: Pair, context: Context) -> None:
    """Fail until repaired."""
    note("pairs", f"second {command.number} {context.attempt}")
    await store(context, "seconds", command.number)
    if not marked("fixed", f"pair-{command.number}"):
        raise ValueError("the second handler is broken")


@app.subscriber
async def book_first(event: FirstDone, context: Context) -> None:
    """Store the event."""
    await store(context, "first_bookings", event.number)


@app.command
class Grow(msgspec.Struct, frozen=True):
    """Takes memory and keeps it."""

    megabytes: int


KEPT: list[bytearray] = []


@app.handler
async def grow(command: Grow, context: Context) -> None:
    """Keep so much more memory."""
    KEPT.append(bytearray(os.urandom(1024) * 1024 * command.megabytes))
    note("grown", command.megabytes)


@app.query
class Ask(msgspec.Struct, frozen=True):
    """Asks how many deposits there are."""

    at_least: int = 0


@app.handler
async def ask(query: Ask, context: Context) -> dict[str, int]:
    """Count them."""
    there = await context.session.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = 'deposits'"))
    if not there:
        return {"deposits": 0}
    return {"deposits": int(await context.session.scalar(text("SELECT count(*) FROM deposits")))}
