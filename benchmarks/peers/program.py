"""The program of a side: ``python -m benchmarks.peers.BROKER.NAME consume|publish``."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import uvloop

from benchmarks.peers.meter import Report
from benchmarks.peers.task import Task
from benchmarks.peers.work import PAD, Work

IN_FLIGHT = 1000
"""Messages that are sent before the first one's confirm is waited for; clients that block send one by one."""

Send = Callable[[Work], Awaitable[object]]
"""Sends one command and returns when the broker has confirmed it."""
Sender = Callable[[Task], AbstractAsyncContextManager[Send]]
"""Connects, and lets go afterwards."""


def main(consume: Callable[[Task], None], sender: Sender) -> None:
    """Do what the command line and the environment say."""
    task = Task.given()
    if sys.argv[1] == "consume":
        consume(task)
    else:
        uvloop.run(publish(task, sender))


async def publish(task: Task, sender: Sender) -> None:
    """Send what the task says, as fast as it goes or at its pace."""
    async with sender(task) as send:
        first, used = time.monotonic(), time.process_time()
        if task.pace:
            for number in range(task.messages):
                await asyncio.sleep(task.pace)
                await send(Work(number, PAD, time.monotonic()))
        else:
            for start in range(0, task.messages, IN_FLIGHT):
                some = range(start, min(start + IN_FLIGHT, task.messages))
                await asyncio.gather(*(send(Work(number, PAD)) for number in some))
        Report(first, time.monotonic() - first, time.process_time() - used).write(task.report)


async def until_terminated() -> None:
    """Wait for SIGTERM, so that a program can end in order."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
