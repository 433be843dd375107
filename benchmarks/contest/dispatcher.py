"""The worker's sending side: ``python -m benchmarks.contest.dispatcher TYPE``, in a folder with its configuration."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.contest import application
from benchmarks.peers import work
from benchmarks.peers.program import Send, publish
from benchmarks.peers.task import Task
from worker.cli.loop import run
from worker.settings import load
from worker.wiring.service import opened


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Dispatch on the command bus; it returns when the broker has confirmed."""
    declared = getattr(application, sys.argv[1])
    async with opened(load(), application.app.registry()) as service:
        bus = service.buses.dispatch["command"]

        async def send(command: work.Work) -> None:
            await bus.dispatch(declared(command.number, command.pad, command.sent))

        yield send


if __name__ == "__main__":
    run(publish(Task.given(), sender))
