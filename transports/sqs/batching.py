"""Batches: what is asked for in one turn of the loop, or while others are under way, shares a request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

MOST = 10
"""Entries that one request takes."""


class Batcher(Generic[Item, Answer]):
    """Does items together, in order of asking; at most ``lanes`` requests are under way at once.

    Args:
        work: does a batch with one answer an item; it never raises.
        lanes: requests under way at once; 1 keeps the order.
        weigh: bytes that an item takes of ``room``.
        room: bytes that one request takes.
        linger: seconds that a batch which is not full waits for company.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        lanes: int,
        weigh: Callable[[Item], int] = lambda _: 0,
        room: int = 1,
        linger: float = 0.0,
    ) -> None:
        self._work = work
        self._lanes = lanes
        self._weigh = weigh
        self._room = room
        self._linger = linger
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.Handle | None = None

    def submit(self, item: Item) -> asyncio.Future[Answer]:
        """Ask for an item; whoever stops waiting for the answer does not take the item back."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, future))
        if self._timer is None:
            self._timer = (
                loop.call_later(self._linger, self._start) if self._linger else loop.call_soon(self._start)
            )
        elif self._linger and len(self._waiting) == MOST:
            self._timer.cancel()
            self._timer = loop.call_soon(self._start)
        return future

    async def finish(self) -> None:
        """Wait until everything that was asked for is answered."""
        while self._waiting or self._tasks:
            if self._tasks:
                await asyncio.wait(set(self._tasks))
            else:
                await asyncio.sleep(0)
                if self._timer is not None:
                    self._timer.cancel()
                self._start()

    def _start(self) -> None:
        self._timer = None
        while self._waiting and len(self._tasks) < self._lanes:
            task = asyncio.get_running_loop().create_task(self._do(self._next()))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._timer is None:
            self._start()

    def _next(self) -> list[tuple[Item, asyncio.Future[Answer]]]:
        batch = [self._waiting.popleft()]
        size = self._weigh(batch[0][0])
        while self._waiting and len(batch) < MOST:
            size += self._weigh(self._waiting[0][0])
            if size > self._room:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _do(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([item for item, _ in batch])
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    if isinstance(error, Exception):
                        future.set_exception(error)
                        future.exception()  # whoever waits gets it; nobody need
                    else:
                        future.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)
