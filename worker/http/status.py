"""``GET /commands/{id}``: where a command stands, and waiting until it is over."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive

from worker.errors import NotFound
from worker.http.documents import document
from worker.http.ports import Ports
from worker.http.preference import wait_of
from worker.messaging.identity import is_id
from worker.messaging.status import CommandStatus

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5
UNKNOWN_WAIT = 2.0
"""Seconds that an unknown id is asked for again: statuses are written in batches, a moment after the answer."""


class Statuses:
    """The endpoint for one command's status."""

    def __init__(self, ports: Ports) -> None:
        self._status = ports.status
        self._max_wait = ports.max_wait
        self._stopping = ports.stopping

    async def __call__(self, request: Request) -> Response:
        """Answer with the command document: at once, or when it is done or failed or the intake stops."""
        id = request.path_params["id"]
        wait = wait_of(request.headers.getlist("prefer"), self._max_wait)
        if not is_id(id):
            raise NotFound(f"no command {id[:64]!r}")
        id = id.lower()
        status = await self._status.get(id) if wait is None else await self._over(id, wait, request.receive)
        if status is None:
            raise NotFound(f"no command {id!r} is known")
        answer = document(request, status, headers={"Cache-Control": "no-store"})
        if wait is not None:
            answer.headers["Preference-Applied"] = f"wait={wait:g}"
        return answer

    async def _over(self, id: str, wait: float, receive: Receive) -> CommandStatus | None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        gone = loop.create_task(_gone(receive))
        stopping = loop.create_task(self._stopping.wait())
        pause = FIRST_PAUSE
        try:
            while True:
                status = await self._status.get(id)
                left = start + (min(wait, UNKNOWN_WAIT) if status is None else wait) - loop.time()
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
