"""Looks at a PostgreSQL database again and again, over one connection that is made anew after each fault."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import asyncpg

TIMEOUT = 20.0
"""Seconds for which a server may not answer."""


class Onlooker:
    """Runs statements from any thread, also from one that runs a loop of its own.

    A connection for each look would cost both sides more than all else that a waiting test does.

    Args:
        url: of the database, past what is broken on the way to it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None
        self._one_at_a_time = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="onlooker", daemon=True)
        self._thread.start()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement; what goes wrong is raised, and the next one gets a new connection."""
        return asyncio.run_coroutine_threadsafe(self._rows(statement), self._loop).result()

    def close(self) -> None:
        """End the connection and the thread; harmless when that is done."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self._one_at_a_time:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self._url, timeout=TIMEOUT)
            try:
                return [tuple(row) for row in await self._connection.fetch(statement, timeout=TIMEOUT)]
            except BaseException:
                self._connection.terminate()
                self._connection = None
                raise

    async def _end(self) -> None:
        async with self._one_at_a_time:
            if self._connection is not None:
                self._connection.terminate()
        for _ in range(3):  # a connection that is given up says so in the loop's next rounds
            await asyncio.sleep(0)
