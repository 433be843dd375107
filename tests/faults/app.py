"""The application under faults: notes most commands in a file, and keeps every tenth in the database."""

from __future__ import annotations

import asyncio
import os

import msgspec

from tests.e2e.statements import text
from worker import App, Context, Retry

app = App("flow")

QUICK = Retry(max_retries=3, delay=0.2, multiplier=2.0, jitter=0.0)
STARTS = "starts"
NOTES = "notes"
LINE = "{number:08d} {pid:08d}\n"
WIDTH = len(LINE.format(number=0, pid=0))


def note(name: str, number: int) -> None:
    """Write a line, in one write."""
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(file, LINE.format(number=number, pid=os.getpid()).encode())
    finally:
        os.close(file)


async def work(number: int) -> None:
    """A moment; for some longer, so that a fault meets them in the middle."""
    await asyncio.sleep(0.2 if number % 100 in {0, 1} else 0.001)


async def store(context: Context, table: str, number: int) -> None:
    """Add a row with the handler's transaction; nothing keeps a number from being there twice."""
    await context.session.execute(
        text(f"INSERT INTO {table} (number, message_id, attempt) VALUES (:number, :id, :attempt)"),
        {"number": number, "id": context.message_id, "attempt": context.attempt},
    )


@app.command(retry=QUICK, track=False)
class Take(msgspec.Struct, frozen=True):
    """Noted, without a transaction: at least once."""

    number: int


@app.handler
async def take(command: Take, context: Context) -> None:
    """Note that it was begun, and that it is done."""
    note(STARTS, command.number)
    await work(command.number)
    note(NOTES, command.number)


@app.command(retry=QUICK)
class Keep(msgspec.Struct, frozen=True):
    """Stored with the handler's transaction: exactly once."""

    number: int


@app.event
class Kept(msgspec.Struct, frozen=True):
    """Something was stored."""

    number: int


@app.handler
async def keep(command: Keep, context: Context) -> None:
    """Store it, and tell."""
    await work(command.number)
    await store(context, "kept", command.number)
    context.record(Kept(command.number))


@app.subscriber
async def tell(event: Kept, context: Context) -> None:
    """Store the event."""
    await store(context, "told", event.number)
