"""The bare route: Starlette and a group commit, on the same server; ``python -m benchmarks.bare_server PORT FILE``.

It reads the JSON, adds an envelope's worth of bytes, and answers 202 when the commit has reached the disk.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import uuid
from pathlib import Path

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.application import Plain
from benchmarks.bare_queue import BareQueue

Waiting = tuple[bytes, "asyncio.Future[None]"]


class GroupCommit:
    """Inserts, in a thread of its own, whatever has gathered since the last commit."""

    def __init__(self, path: Path) -> None:
        self._queue = BareQueue(path)
        self._inbox: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    async def add(self, body: bytes) -> None:
        """Insert and return after the commit."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._inbox.put((body, future))
        await future

    def _run(self) -> None:
        while True:
            batch = [self._inbox.get()]
            while not self._inbox.empty():
                batch.append(self._inbox.get())
            self._queue.add([body for body, _ in batch])
            batch[0][1].get_loop().call_soon_threadsafe(_confirm, batch)


def _confirm(batch: list[Waiting]) -> None:
    for _, future in batch:
        if not future.done():
            future.set_result(None)


def create_app(path: Path) -> Starlette:
    """Make the application with its one route."""
    commits = GroupCommit(path)
    read = msgspec.json.Decoder(Plain).decode

    async def take(request: Request) -> Response:
        command = read(await request.body())
        id = str(uuid.uuid4())
        event = {"specversion": "1.0", "id": id, "type": "Plain", "source": "bench", "data": command}
        await commits.add(msgspec.json.encode(event))
        return Response(msgspec.json.encode({"id": id}), 202, media_type="application/json")

    async def alive(request: Request) -> Response:
        return Response()

    return Starlette(
        routes=[Route("/commands", take, methods=["POST"]), Route("/livez", alive, methods=["GET"])]
    )


if __name__ == "__main__":
    uvicorn.run(
        create_app(Path(sys.argv[2])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
    )
