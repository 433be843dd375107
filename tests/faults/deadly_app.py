"""An application one of whose messages ends its process each time."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import msgspec

from tests.e2e.statements import text
from worker import App, Context

app = App("deadly")

BEGUN = "begun"
ENDED = 7
"""The exit code of a process that a message has ended."""
LASTS = float(os.environ.get("LASTS", "0.08"))
"""Seconds that each takes."""


@app.command
class Work(msgspec.Struct, frozen=True):
    """Done in any order."""

    number: int
    deadly: bool = False


@app.command(key="account")
class Book(msgspec.Struct, frozen=True):
    """Done in the order of its account."""

    number: int
    account: str
    deadly: bool = False


async def do(context: Context, number: int, *, deadly: bool) -> None:
    """Note that it is begun; then die, or store that it is done."""
    with Path(BEGUN).open("a") as notes:
        notes.write(f"{number} {os.getpid()} {time.time()}\n")
    if deadly:
        os._exit(ENDED)
    await asyncio.sleep(LASTS)
    await context.session.execute(
        text("INSERT INTO effects (number, at) VALUES (:number, :at)"), {"number": number, "at": time.time()}
    )


@app.handler
async def work(command: Work, context: Context) -> None:
    """Do it."""
    await do(context, command.number, deadly=command.deadly)


@app.handler
async def book(command: Book, context: Context) -> None:
    """Do it."""
    await do(context, command.number, deadly=command.deadly)
