"""The bare route: Starlette and an awaited confirm of aio-pika, on the same server.

``python -m benchmarks.peers.rabbitmq.bare_route PORT`` reads the JSON, adds an envelope, and answers 202 when the
broker has confirmed.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.peers.program import Send
from benchmarks.peers.rabbitmq.raw_aio_pika import sender
from benchmarks.peers.task import Task
from benchmarks.peers.work import Work, encode

_read = msgspec.json.Decoder(Work).decode


def create_app(task: Task) -> Starlette:
    """Make the application with its one route."""
    sends: list[Send] = []

    @asynccontextmanager
    async def connected(app: Starlette) -> AsyncIterator[None]:
        async with sender(task) as send:
            sends.append(send)
            yield

    async def take(request: Request) -> Response:
        command = _read(await request.body())
        await sends[0](command)
        return Response(encode({"number": command.number}), 202, media_type="application/json")

    async def alive(request: Request) -> Response:
        return Response()

    routes = [Route("/commands", take, methods=["POST"]), Route("/livez", alive, methods=["GET"])]
    return Starlette(routes=routes, lifespan=connected)


if __name__ == "__main__":
    uvicorn.run(
        create_app(Task.given()),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
