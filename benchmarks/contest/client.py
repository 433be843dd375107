"""The worker's client, as a web application uses it: ``python -m benchmarks.contest.client TYPE``."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.contest import application
from benchmarks.peers import work
from benchmarks.peers.program import Send, publish
from benchmarks.peers.task import Task
from worker import Client
from worker.cli.loop import run


@asynccontextmanager
async def sender(task: Task) -> AsyncIterator[Send]:
    """Send by the client; it returns when the broker has confirmed."""
    declared = getattr(application, sys.argv[1])
    async with Client(application.app) as client:

        async def send(command: work.Work) -> None:
            await client.send(declared(command.number, command.pad, command.sent))

        yield send


if __name__ == "__main__":
    run(publish(Task.given(), sender))
