"""The application under faults for ordered queues: every handler notes key and place; some keep them in the database."""

from __future__ import annotations

import asyncio
import os
import time

import msgspec

from tests.e2e.statements import text
from worker import App, Context, Retry

app = App("flow")

QUICK = Retry(max_retries=3, delay=0.2, multiplier=2.0, jitter=0.0)
NOTES = "notes"
STARTS = "starts"
WORK = float(os.environ.get("FLOW_WORK", "0.002"))
LONG = float(os.environ.get("FLOW_LONG", "0.2"))


def note(kind: str, key: str, place: int, name: str = NOTES) -> None:
    """Write a line, in one write: the order of lines is the order of what happened."""
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(file, f"{kind} {key} {place} {os.getpid()} {time.monotonic()}\n".encode())
    finally:
        os.close(file)


async def work(key: str, place: int) -> None:
    """A moment; for some longer, so that a fault meets them in the middle."""
    await asyncio.sleep(LONG if place % 50 == 7 and key.endswith(("1", "4", "7", "0")) else WORK)


@app.command(key="key", retry=QUICK, track=False)
class Take(msgspec.Struct, frozen=True):
    """Noted; every fortieth fails once, and waits for its retry in its place."""

    key: str
    place: int


@app.handler
async def take(command: Take, context: Context) -> None:
    """Work, and note it."""
    note("take", command.key, command.place, STARTS)
    await work(command.key, command.place)
    if command.place % 40 == 3 and context.attempt == 1:
        raise RuntimeError("the first attempt fails")
    note("take", command.key, command.place)


@app.command(key="key", retry=QUICK)
class Keep(msgspec.Struct, frozen=True):
    """Stored with the handler's transaction: exactly once."""

    key: str
    place: int


@app.handler
async def keep(command: Keep, context: Context) -> None:
    """Store it."""
    note("keep", command.key, command.place, STARTS)
    await work(command.key, command.place)
    await context.session.execute(
        text("INSERT INTO kept (key, place) VALUES (:key, :place)"),
        {"key": command.key, "place": command.place},
    )
    note("keep", command.key, command.place)
