"""Connections that the process's own users take in turn, in the order in which they asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from worker.errors import DatabaseUnavailable

Connection = TypeVar("Connection")


class Pool(Generic[Connection]):
    """Lends connections, and opens them when they are wanted.

    Args:
        opened: opens one.
        alive: whether one that lay idle can still be used; it closes one that cannot.
        hang_up: closes one at once, without waiting for the other end.
        size: most connections at a time.
        patience: seconds to wait for one while others use them all.
    """

    def __init__(
        self,
        opened: Callable[[], Awaitable[Connection]],
        alive: Callable[[Connection], Awaitable[bool]],
        hang_up: Callable[[Connection], object],
        size: int,
        patience: float,
    ) -> None:
        self._opened = opened
        self._alive = alive
        self._hang_up = hang_up
        self._patience = patience
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._closed = False

    async def take(self) -> Connection:
        """Lend a connection; it comes back by ``give`` or by ``drop``.

        Raises:
            DatabaseUnavailable: others of this process used them all for too long; or what opening raises.
        """
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        try:
            return await self._usable()
        except BaseException:
            self._free.release()
            raise

    def give(self, connection: Connection) -> None:
        """Take one back that is as good as new."""
        if self._closed:
            self._hang_up(connection)
        else:
            self._idle.append(connection)
        self._free.release()

    def drop(self, connection: Connection) -> None:
        """Take one back that is of no use any more."""
        self._hang_up(connection)
        self._free.release()

    def close(self) -> list[Connection]:
        """Give the idle ones to the caller, who closes them; those that are lent are closed when they come back."""
        self._closed = True
        idle, self._idle = self._idle, []
        return idle

    async def _usable(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            try:
                if await self._alive(connection):
                    return connection
            except BaseException:  # it may be in any state, and its borrower is gone
                self._hang_up(connection)
                raise
        self._closed = False
        return await self._opened()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError as error:
            raise DatabaseUnavailable(
                f"database: no connection was free within {self._patience:g} s; "
                "handlers of this process hold them in open transactions"
            ) from error
