"""Gathering: what is asked for while a batch is under way becomes the next batch."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from worker.errors import TransportUnavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Gathering(Generic[Item, Answer]):
    """Does items in batches; a single item never waits for others to join it.

    It differs from ``Batcher`` by what a broker needs: one batch at a time, a minimum time between the starts of two, and
    an item that makes its batch fail fails alone.

    Args:
        work: does a batch and returns one answer for each item, in order; it bounds its own waiting.
        weigh: says what share of a batch an item takes; a batch weighs at most 1.0, or is a single item.
        apart: seconds from the start of one batch to the start of the next, unless the next one is full. A batch that
            follows a longer time without any starts at once.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        weigh: Callable[[Item], float],
        apart: float = 0.0,
    ) -> None:
        self._work = work
        self._weigh = weigh
        self._apart = apart
        self._waiting: list[tuple[Item, float, asyncio.Future[Answer]]] = []
        self._weight = 0.0
        self._enough = asyncio.Event()
        self._not_before = -math.inf
        self._task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return self._task is None

    def submit(self, item: Item) -> asyncio.Future[Answer]:
        """Ask for an item; a caller that stops waiting for the answer does not take the item back."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        weight = self._weigh(item)
        self._waiting.append((item, weight, future))
        self._weight += weight
        if self._weight >= 1.0:
            self._enough.set()
        if self._task is None:
            self._task = loop.create_task(self._drain())
        return future

    async def finish(self) -> None:
        """Wait until everything that was asked for is answered; from now on no batch waits for its time to start."""
        while self._task is not None:
            self._enough.set()
            await asyncio.wait([self._task])

    async def _drain(self) -> None:
        try:
            while self._waiting:
                if self._apart:
                    await self._turn()
                await self._do(self._next())
        finally:
            self._task = None
            for _, _, future in self._waiting:  # only when the loop is being shut down
                future.cancel()

    async def _turn(self) -> None:
        """Wait until the next batch may start."""
        loop = asyncio.get_running_loop()
        if not self._enough.is_set() and loop.time() < self._not_before:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._not_before):
                    await self._enough.wait()
        self._not_before = loop.time() + self._apart

    def _next(self) -> list[tuple[Item, asyncio.Future[Answer]]]:
        weight, count = 0.0, 0
        for _, each, _ in self._waiting:
            weight += each
            if weight > 1.0 and count > 0:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self._weight = sum(each for _, each, _ in self._waiting)
        if self._weight < 1.0:
            self._enough.clear()
        return [(item, future) for item, _, future in batch]

    async def _do(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([item for item, _ in batch])
        except TransportUnavailable as error:
            _fail(batch, error)
        except Exception as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            for one in batch:  # one item makes the batch fail: only that one shall fail
                await self._do([one])
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _fail(batch: Sequence[tuple[Item, asyncio.Future[Answer]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
            future.exception()  # marks it as retrieved: asyncio warns of no error that the caller did not wait for
