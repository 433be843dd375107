"""Notifications: tells other processes that something came, and hears it from them.

A notification is a hint, never a promise: a consumer that waits also looks by itself from time to time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from transports.postgres import faults
from transports.postgres.connection import Connection, close_connection, open_connection
from transports.postgres.settings import Settings
from worker.errors import ConfigurationError, TransportUnavailable
from worker.messaging.bounded import happens

_CHANNEL = "command_worker_transport"
_EVERY = 0.02
"""Seconds between two notifications of one process: the commit of each takes a lock on the whole server."""

_PROBE = 5.0
"""Seconds between two proofs that the connection lives."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two tries to connect."""

_MOST = 100
"""Names in one notification; where there are more, it says "look at all queues"."""


class Notifications:
    """A connection of its own, kept up by a task.

    Args:
        settings: of the transport.
        name: of the transport.
        woken: called with the queues in which something may have come; None for all of them.
    """

    def __init__(
        self, settings: Settings, name: str, woken: Callable[[Collection[str] | None], None]
    ) -> None:
        self._settings = settings
        self._name = name
        self._woken = woken
        self._listens = False
        self._pending: set[str] = set()
        self._said = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def tell(self, queues: Collection[str]) -> None:
        """Let other processes know, soon."""
        self._pending.update(queues)
        self._said.set()
        self._start()

    def listen(self) -> None:
        """Hear from other processes from now on."""
        self._listens = True
        self._said.set()
        self._start()

    async def close(self) -> None:
        """Say what is left to be said, and let go of the connection. Idempotent."""
        task, self._task = self._task, None
        if task is None:
            return
        if self._pending:
            await asyncio.wait([task], timeout=_EVERY * 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        pause = _SHORTEST_PAUSE
        while True:
            try:
                connection = await open_connection(self._settings, name=self._name, synchronous=False)
            except (TransportUnavailable, ConfigurationError):
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _SHORTEST_PAUSE
            try:
                await self._work(connection)
            except faults.DRIVER_ERRORS:
                connection.terminate()
                await asyncio.sleep(pause)
            except asyncio.CancelledError:
                await close_connection(connection)
                raise

    async def _work(self, connection: Connection) -> None:
        listening = False
        limit = self._settings.timeout
        while True:
            if self._listens and not listening:
                async with asyncio.timeout(limit):
                    await connection.add_listener(_CHANNEL, self._heard)
                listening = True
                self._woken(None)  # what was said before it listened was not heard
            queues, self._pending = self._pending, set()
            self._said.clear()
            if queues:
                names = "\n".join(queues) if len(queues) <= _MOST else ""
                try:
                    await connection.execute(
                        "SELECT pg_notify($1, $2)", _CHANNEL, names[:7000], timeout=limit
                    )
                except BaseException:
                    self._pending |= queues
                    raise
                await asyncio.sleep(_EVERY)
            if not await happens(self._said, _PROBE):
                await connection.execute("SELECT 1", timeout=limit)

    def _heard(self, connection: Connection, sender: int, _channel: str, names: str) -> None:
        if sender != connection.get_server_pid():
            self._woken(names.split("\n") if names else None)
