"""Slots: long-lived tasks, each of which handles one message after the other."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from worker.messaging.transport import Delivery
from worker.runtime.own_tasks import application_context
from worker.runtime.taking.consumer import Consumer
from worker.runtime.unclosed import Unclosed

Started = tuple[Consumer, Delivery]
"""A delivery that was started, and the consumer whose it is."""

Process = Callable[[Consumer, Delivery], Awaitable[None]]
"""Handles and settles a delivery of a consumer; never raises but when it is cancelled."""

STREAK = 32
"""Messages after which a slot lets others run: receiving and settling go on beside quick handlers."""


class Slots:
    """A fixed number of tasks that start a message when the one before is settled.

    The next one is woken only while there is more to take, so that handlers which never wait cost no task switch. Where
    a message has changed its task's context, or cancelled the task, the slot goes on in a new task with the context as it
    was, and that queue's messages have contexts of their own from then on.

    Args:
        size: how many.
        process: handles and settles a message.
        left: told when one is settled.
        failed: told of a task that has ended, to look whether by a fault of the worker's own.

    Attributes:
        start: starts the next message; None while none may start.
        watched: whether ``left`` is to be told: for a limit, or the end.
    """

    def __init__(
        self,
        size: int,
        process: Process,
        left: Callable[[], None],
        failed: Callable[[asyncio.Task[None]], None],
    ) -> None:
        self.size = size
        self.process = process
        self.start: Callable[[], Started | None] = nothing
        self.watched = False
        self._left = left
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()
        self._asleep: deque[asyncio.Future[None]] = deque()
        self._stirring = False  # one was woken and has not looked yet; it wakes the next while there is more
        self._fresh = contextvars.Context()
        self._ending = False

    def open(self) -> None:
        """Begin to take messages, in the context of the caller."""
        self._fresh = application_context()
        for _ in range(self.size):
            self._open_one()

    def wake(self) -> None:
        """Let one that is free look for work."""
        if self._asleep and not self._stirring:
            self._stirring = True
            self._asleep.popleft().set_result(None)

    async def end(self, within: float) -> None:
        """Cancel what still runs, and wait for it as long as ``within`` seconds."""
        self._ending = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=within)

    def _open_one(self) -> None:
        """Start a slot in a context as it was before any message."""
        slot: Any = Unclosed(self._live())
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(slot, context=self._fresh.copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._failed)

    async def _live(self) -> None:
        try:
            await self._work()
        except asyncio.CancelledError:
            if self._ending:
                raise
        if not self._ending:  # a handler cancelled this task, or left something in its context
            self._open_one()

    async def _work(self) -> None:
        """Handle one message after the other, as long as none leaves anything that the next one would meet."""
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        process, fresh, copied = self.process, self._fresh, contextvars.copy_context
        left = STREAK
        while not self._ending:
            started = self.start()
            if started is None:
                await self._rest()
                continue
            if self._asleep and not self._stirring:
                self.wake()
            consumer, delivery = started
            consumer.under_way.tasks[task] = delivery
            try:
                await process(consumer, delivery)
            finally:
                consumer.left(task)
                if self.watched:
                    self._left()
            try:  # two contexts in which nothing was set since are one tree inside: no variable is looked at
                if copied() != fresh or task.cancelling():
                    consumer.apart = True
                    return
            except BaseException:  # values that refuse to be compared
                consumer.apart = True
                return
            left -= 1
            if not left:
                left = STREAK
                await asyncio.sleep(0)

    async def _rest(self) -> None:
        """Wait until woken."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asleep.append(future)
        try:
            await future
        finally:
            if future.cancelled():
                self._asleep.remove(future)
            else:
                self._stirring = False


def nothing() -> Started | None:
    """Start nothing: there is nothing to take from, or no more is taken."""
    return None
