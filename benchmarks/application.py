"""The application that is measured: handlers that do nothing, so that what is left is the worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from worker import App, Context, Post
from worker.messaging.envelope import Envelope
from worker.messaging.middleware import CallNext

app = App("bench")

STAMPS = "stamps"
"""File, in the working folder, into which ``Timed`` commands write when they were handled."""


class Tally:
    """Counts handled messages and calls back at the last expected one."""

    def __init__(self) -> None:
        self._left = 0
        self._done: Callable[[], object] | None = None

    def expect(self, count: int, done: Callable[[], object]) -> None:
        """Call ``done`` when that many more were handled."""
        self._left, self._done = count, done

    def add(self) -> None:
        """Count one more as handled."""
        self._left -= 1
        if not self._left and self._done is not None:
            self._done()


tally = Tally()
delays: list[float] = []
"""Seconds from sending to handling of each ``Timed`` command handled in this process."""


@app.command(track=False)
class Plain(msgspec.Struct, frozen=True):
    """Untracked."""

    number: int
    pad: str


@app.resource(
    path="/records",
    messenger=True,
    operations=[Post(status=202, output=False), Post("whole", status=202)],
)
@app.command(track=False)
class Record(msgspec.Struct, frozen=True):
    """Untracked, and posted as a resource."""

    number: int
    pad: str


@app.command
class Tracked(msgspec.Struct, frozen=True):
    """With its status kept."""

    number: int
    pad: str


@app.command(track=False)
class Timed(msgspec.Struct, frozen=True):
    """Knows when it was sent, on the machine's monotonic clock; ``file``: whether to write the delay down."""

    sent: float
    file: bool = False


@app.middleware(on="consume")
async def look(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
    """An application's own middleware that only calls on."""
    return await call_next(envelope)


@app.handler
async def take_record(record: Record) -> None:
    """Do nothing."""
    tally.add()


@app.handler
async def plain(command: Plain, context: Context) -> None:
    """Count it."""
    tally.add()


@app.handler
async def tracked(command: Tracked, context: Context) -> None:
    """Count it."""
    tally.add()


@app.handler
async def timed(command: Timed, context: Context) -> None:
    """Note the delay."""
    delay = time.monotonic() - command.sent
    if command.file:
        with Path(STAMPS).open("a") as file:  # noqa: ASYNC230 - a short line, at a low rate
            file.write(f"{delay}\n")
    else:
        delays.append(delay)
    tally.add()
