"""The application with which the worker takes part: the same command as its peers', and a middleware that calls on."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.peers.meter import Meter
from benchmarks.peers.task import Task
from worker import App, Context
from worker.messaging.envelope import Envelope
from worker.messaging.middleware import CallNext

app = App("bench")
meter = Meter(Task.given())


@app.command(track=False)
class Work(msgspec.Struct, frozen=True):
    """Untracked."""

    number: int
    pad: str
    sent: float = 0.0


@app.command
class TrackedWork(msgspec.Struct, frozen=True):
    """With its status kept."""

    number: int
    pad: str
    sent: float = 0.0


@app.middleware(on="consume")
async def look(envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
    """An application's own middleware that only calls on."""
    return await call_next(envelope)


@app.handler
async def work(command: Work, context: Context) -> None:
    """Count it."""
    meter.handled(command.sent)


@app.handler
async def tracked_work(command: TrackedWork, context: Context) -> None:
    """Count it."""
    meter.handled(command.sent)
