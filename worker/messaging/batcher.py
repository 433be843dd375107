"""The batcher: what is asked for at the same time, or while others are under way, is done together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Does items together, in the order in which they were asked for; batches grow with the load.

    A single item never waits for company, unless it shall ``linger``. It differs from ``transports.gathering`` by what a
    database or a service that is paid by the request needs: several batches at a time, and an error that is the whole batch's.

    Args:
        work: does a batch and gives one answer an item, in order. It bounds its own waiting. What it raises, all who
            wait for that batch get.
        limit: most items in a batch.
        parallel: batches under way at once; 1 keeps the order.
        weigh: how much of ``room`` an item takes; None where only the limit counts.
        room: what fits into a batch.
        linger: seconds for which a batch that is not full waits for company.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        limit: int = 500,
        parallel: int = 1,
        weigh: Callable[[Item], int] | None = None,
        room: int = 0,
        linger: float = 0.0,
    ) -> None:
        self._work = work
        self._limit = limit
        self._parallel = parallel
        self._weigh = weigh
        self._room = room
        self._linger = linger
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._open: set[asyncio.Task[None]] = set()
        self._beginning = False
        self._timer: asyncio.TimerHandle | None = None

    def submit(self, item: Item) -> asyncio.Future[Answer]:
        """Ask for an item; who stops waiting for its answer does not take it back."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if not self._linger or len(self._waiting) == self._limit:
            self._begin()
        elif self._timer is None and not self._beginning:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self._begin)
        return future

    async def finish(self) -> None:
        """Wait until everything that was asked for is answered; nothing lingers any more."""
        while self._waiting or self._open:
            self._begin()
            await asyncio.wait(set(self._open))

    def _begin(self) -> None:
        """Begin a task, for all that is asked for until it gets its turn."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self._beginning and len(self._open) < self._parallel:
            self._beginning = True
            self._open.add(asyncio.get_running_loop().create_task(self._drain()))

    async def _drain(self) -> None:
        self._beginning = False
        try:
            while self._waiting and self._timer is None:
                batch = self._next()
                self._begin()
                await self._do(batch)
        except asyncio.CancelledError:  # the loop is being shut down
            while self._waiting:
                self._waiting.popleft()[1].cancel()
            raise
        finally:  # who got the last answer may ask again before this task counts as done
            self._open.remove(_this_task())

    def _next(self) -> list[tuple[Item, asyncio.Future[Answer]]]:
        waiting, weigh = self._waiting, self._weigh
        if weigh is None:
            return [waiting.popleft() for _ in range(min(len(waiting), self._limit))]
        batch = [waiting.popleft()]
        size = weigh(batch[0][0])
        while waiting and len(batch) < self._limit:
            size += weigh(waiting[0][0])
            if size > self._room:
                break
            batch.append(waiting.popleft())
        return batch

    async def _do(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([item for item, _ in batch])
        except BaseException as error:
            for _, future in batch:
                if future.done():
                    continue
                if isinstance(error, Exception):
                    future.set_exception(error)
                    future.exception()  # its caller gets it, if there still is one
                else:
                    future.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task
