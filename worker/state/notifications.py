"""Notifications: what other processes tell over PostgreSQL, on one connection; polling makes up for what is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from worker.errors import Unavailable
from worker.state.address import Address
from worker.state.waits import Waits

_PAUSE = 2.0
"""Seconds before a lost connection is opened again."""

_PROVE = 30.0
"""Seconds between proofs that the connection is alive."""

_ANSWER = 5.0

log = structlog.stdlib.get_logger("worker.state")

Wanted = tuple[str, Callable[[], None]]
"""A channel, and what is called for each notice of it."""


class Notifications:
    """Hears the notifications of any number of channels, on a connection that is open while there is one.

    Args:
        address: of a PostgreSQL.
        waits: upper bounds on waiting.
    """

    def __init__(self, address: Address, waits: Waits) -> None:
        self._address = address
        self._waits = waits
        self._wanted: list[Wanted] = []
        self._look = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def listen(self, channel: str, heard: Callable[[], None]) -> None:
        """Call ``heard`` for each notice of a channel, until cancelled; a lost connection is opened again."""
        wanted = (channel, heard)
        self._wanted.append(wanted)
        self._look.set()
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        try:
            await asyncio.shield(self._running)
        finally:
            self._wanted.remove(wanted)
            if not self._wanted:
                self._running.cancel()
                await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        from worker.state.postgresql_connection import opener

        connect = opener(self._address.dsn, self._address.shown, self._waits)
        while True:
            try:
                connection = await connect()
            except Unavailable as error:
                log.debug("not listening to the database", error=str(error))
            else:
                await self._listen(connection)
            await asyncio.sleep(_PAUSE)

    async def _listen(self, connection: Any) -> None:
        lost = False
        channels: set[str] = set()

        def end(_connection: Any) -> None:
            """Note that the server is lost."""
            nonlocal lost
            lost = True
            self._look.set()

        connection.add_termination_listener(end)
        try:
            while not lost:
                self._look.clear()
                for channel in {channel for channel, _ in self._wanted} - channels:
                    await connection.add_listener(channel, self._tell)
                    channels.add(channel)
                    self._tell(connection, 0, channel, "")  # for what was told before
                try:
                    async with asyncio.timeout(_PROVE):
                        await self._look.wait()
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=_ANSWER)
        except Exception as error:  # the driver's many ways to say that it lost its server
            log.debug("listening to the database ended", error=repr(error))
        finally:
            connection.terminate()

    def _tell(self, _connection: Any, _pid: int, channel: str, _text: str) -> None:
        for wanted, heard in list(self._wanted):
            if wanted == channel:
                heard()
