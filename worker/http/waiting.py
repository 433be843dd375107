"""Waiting for the end of a command, as ``Prefer: wait=N`` asks."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from worker.http.ports import Ports
from worker.messaging.status import CommandStatus

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5
UNKNOWN_WAIT = 2.0
"""Seconds for which an unknown id is asked for again: statuses are written in batches, a moment after the answer."""


class Waiting:
    """Asks for a command's status until the command is over."""

    def __init__(self, ports: Ports) -> None:
        self._status = ports.status
        self._stopping = ports.stopping

    async def until_over(
        self, id: str, wait: float, receive: Receive, *, taken: bool = False
    ) -> CommandStatus | None:
        """Return the status when it is ``done`` or ``failed``, the time is over, or the intake stops.

        Args:
            id: of the command.
            wait: seconds, at most.
            receive: tells when the client goes away.
            taken: the command is known to exist, so that its status will be written however long that takes.

        Raises:
            ClientDisconnect: the client went away.
            DatabaseUnavailable: the database does not answer.
        """
        loop = asyncio.get_running_loop()
        start = loop.time()
        gone = loop.create_task(_gone(receive))
        stopping = loop.create_task(self._stopping.wait())
        pause = FIRST_PAUSE
        try:
            while True:
                status = await self._status.get(id)
                patience = wait if taken or status is not None else min(wait, UNKNOWN_WAIT)
                left = start + patience - loop.time()
                over = status is not None and status.status in ("done", "failed")
                if left <= 0 or over or self._stopping.is_set():
                    return status
                await asyncio.wait(
                    {gone, stopping}, timeout=min(pause, left), return_when=asyncio.FIRST_COMPLETED
                )
                if gone.done():
                    raise ClientDisconnect
                pause = min(pause * 1.5, LONGEST_PAUSE)
        finally:
            gone.cancel()
            stopping.cancel()


async def _gone(receive: Receive) -> Any:
    while (await receive())["type"] != "http.disconnect":
        pass
