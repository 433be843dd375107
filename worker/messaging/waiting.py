"""Waiting for the end of a command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from worker.messaging.status import CommandStatus, StatusReader

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5
UNKNOWN_WAIT = 2.0
"""Seconds for which an unknown id is asked for again: statuses are written in batches, a moment after the answer."""


async def until_over(
    reader: StatusReader,
    id: str,
    wait: float,
    *,
    taken: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> CommandStatus | None:
    """Return a command's status when it is ``done`` or ``failed``, or as it stands when the time is over.

    Args:
        reader: tells the status.
        id: of the command.
        wait: seconds, at most.
        taken: the command is known to exist, so that its status will be written however long that takes.
        stopped: whether to wait no longer.
        pause: waits that many seconds between two looks, or less.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    length = FIRST_PAUSE
    while True:
        status = await reader.get(id)
        patience = wait if taken or status is not None else min(wait, UNKNOWN_WAIT)
        left = start + patience - loop.time()
        over = status is not None and status.status in ("done", "failed")
        if left <= 0 or over or stopped():
            return status
        await pause(min(length, left))
        length = min(length * 1.5, LONGEST_PAUSE)
