"""The application for pausing under load: five types on queues of their own, whose handlers leave a line each."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import msgspec

from worker import App

app = App("herd")
NAMES = ("Ant", "Bee", "Cow", "Dog", "Eel")


def note(name: str, line: str) -> None:
    """Append a line to a file, in one write."""
    file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def _declare(name: str) -> None:
    cls = msgspec.defstruct(name, [("number", int), ("seconds", float, 0.0)], frozen=True, module=__name__)

    async def handle(command) -> None:  # type: ignore[no-untyped-def]  # annotated below, for each type
        note("started", f"{name} {command.number} {time.time():.6f} {os.getpid()}")
        if command.seconds < 0:
            while not Path("release").exists():
                await asyncio.sleep(0.02)
        else:
            await asyncio.sleep(command.seconds)
        note("finished", f"{name} {command.number}")

    handle.__annotations__ = {"command": cls, "return": None}
    handle.__qualname__ = f"handle_{name}"
    app.handler(handle)
    app.command(cls)


for _name in NAMES:
    _declare(_name)
