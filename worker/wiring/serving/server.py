"""Serves an ASGI application inside this process's loop, stopping when it is asked to."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from typing import Any

import uvicorn

from worker.runtime.process.supervisor import CHILD_MARK
from worker.wiring.serving.binding import bind
from worker.wiring.serving.connection import KEEP_ALIVE, Connection

_LOOK = 1.0
"""Seconds between two looks at who takes too long."""


class _Uvicorn(uvicorn.Server):
    """uvicorn without its own signal handlers: the process has one set for all that runs in it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """An ASGI application on an address. The port is taken when it is made.

    Args:
        app: what is served.
        host: name or address.
        port: 0 for any that is free; see ``port`` afterwards.
        graceful_timeout: seconds that requests under way get when it stops.

    Raises:
        ConfigurationError: the address cannot be bound.
    """

    def __init__(self, app: Any, host: str, port: int, graceful_timeout: float) -> None:
        self._socket = bind(host, port, shared=CHILD_MARK in os.environ)
        self.port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            loop="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            server_header=False,
            timeout_graceful_shutdown=max(1, int(graceful_timeout)),
        )
        self._uvicorn = _Uvicorn(config)

    def stop(self) -> None:
        """Take no more requests; those under way are answered."""
        self._uvicorn.should_exit = True

    async def run(self) -> None:
        """Serve until stopped."""
        looking = asyncio.create_task(self._look())
        try:
            await self._uvicorn.serve(sockets=[self._socket])
        finally:
            looking.cancel()
            self._socket.close()

    async def _look(self) -> None:
        """End requests that do not come to their end. Looked at from here, a request in time costs nothing."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK)
            for connection in list(self._uvicorn.server_state.connections):
                if isinstance(connection, Connection):
                    connection.look(loop.time(), stopping=self._uvicorn.should_exit)
