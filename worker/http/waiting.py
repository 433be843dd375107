"""Waiting for the end of a command, as ``Prefer: wait=N`` asks."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from worker.http.ports import Ports
from worker.messaging.status import CommandStatus
from worker.messaging.waiting import until_over


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
        gone = loop.create_task(_gone(receive))
        stopping = loop.create_task(self._stopping.wait())

        async def pause(seconds: float) -> None:
            """Wait for the next look, or for what ends the waiting."""
            await asyncio.wait({gone, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise ClientDisconnect

        try:
            return await until_over(
                self._status, id, wait, taken=taken, stopped=self._stopping.is_set, pause=pause
            )
        finally:
            gone.cancel()
            stopping.cancel()


async def _gone(receive: Receive) -> Any:
    while (await receive())["type"] != "http.disconnect":
        pass
