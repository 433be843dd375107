"""Callers that wait in ``receive``: woken one by one; where one is cancelled, its wake-up goes to the next."""

from __future__ import annotations

import asyncio
from collections import deque


class Waiters:
    """A queue of waits."""

    def __init__(self) -> None:
        self._futures: deque[asyncio.Future[None]] = deque()

    async def wait(self, seconds: float) -> None:
        """Return when woken, after ``seconds`` at the latest."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _resolve, future)
        self._futures.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.wake()  # another caller may want what this one was woken for
            raise
        finally:
            timer.cancel()
            if future in self._futures:
                self._futures.remove(future)

    def wake(self) -> None:
        """Wake the one that has waited longest."""
        while self._futures:
            future = self._futures.popleft()
            if not future.done():
                future.set_result(None)
                return

    def wake_all(self) -> None:
        """Wake all of them."""
        for future in self._futures:
            _resolve(future)
        self._futures.clear()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
