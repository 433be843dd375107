"""An application with a schedule of 0.2 s, in processes whose clock a test sets: the file ``clock`` of their folder says by how much."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import msgspec

from worker import App

_real = time.time
_file = Path("clock")


def _stepped() -> float:
    """What the machine's clock would show, had an operator set it."""
    try:
        return _real() + float(_file.read_text())
    except (OSError, ValueError):  # not there yet, or just being written
        return _real()


time.time = _stepped

app = App("ticks")


@app.command
class Ticked(msgspec.Struct, frozen=True):
    tick: int


@app.handler
async def handle(command: Ticked) -> None:
    with Path("handled").open("a") as file:
        file.write(f"{command.tick}\n")


@app.schedule(every=0.2, missed="all")
def tock(tick: datetime) -> Ticked:
    return Ticked(round(tick.timestamp() * 1_000_000))
