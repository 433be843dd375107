"""Calling: the function of a schedule, which may raise, hang or return anything, for a bounded time."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from worker.errors import HandlerTimeout, Unavailable, UsageError
from worker.messaging.schedule import Schedule
from worker.messaging.unrun import refuse_unrun
from worker.raising import as_exception
from worker.runtime.own_tasks import IN_APPLICATION
from worker.runtime.threads import Threads
from worker.schedules.moments import Moment, time_of

TIMEOUT = 30.0
"""Seconds that a schedule's function may take, and then what it sends on its way to the outbox."""

T = TypeVar("T")


class Calling:
    """Calls functions of schedules. One that would not end keeps its schedule from being called until it does.

    Args:
        threads: for plain functions.
        timeout: seconds that a call may take.
    """

    def __init__(self, threads: Threads, timeout: float = TIMEOUT) -> None:
        self._threads = threads
        self._timeout = timeout
        self._stuck: dict[object, str] = {}
        """What was given up and has not ended, with the name of its schedule."""

    async def call(self, schedule: Schedule, tick: Moment) -> Any:
        """Call the function for a tick and give what it returned.

        Raises:
            HandlerTimeout: it took too long.
            UsageError: it still runs for an earlier tick, or returned what is never run, such as a coroutine.
            Exception: what it raised.
        """
        if schedule.name in self._stuck.values():
            raise UsageError(f"schedule {schedule.name}: its function still runs for an earlier tick")
        given: tuple[datetime, ...] = (time_of(tick, schedule.trigger.zone),) if schedule.wants_tick else ()
        call = functools.partial(schedule.call, *given)
        if schedule.is_async:
            result = await self.bounded(schedule.name, call)
        else:
            result = await self._in_thread(schedule.name, call)
            if inspect.isawaitable(result):  # a plain function around an async one: it is awaited here
                awaitable: Awaitable[Any] = result
                result = await self.bounded(schedule.name, lambda: awaitable)
        refuse_unrun(f"schedule {schedule.name}", result)
        return result

    async def bounded(self, schedule: str, begin: Callable[[], Awaitable[T]]) -> T:
        """Run application code on the loop, in a task and a context of its own, and leave it alone when its time is over.

        Raises:
            HandlerTimeout: it took too long.
            Exception: what it raised.
        """
        task = asyncio.get_running_loop().create_task(_outcome(begin))
        try:
            await asyncio.wait((task,), timeout=self._timeout)
        finally:
            if not task.done():
                task.cancel()
                self._stuck[task] = schedule
                task.add_done_callback(lambda ended: self._stuck.pop(ended, None))
        if not task.done():
            raise self._too_long(schedule)
        result, error = task.result()
        if error is not None:
            raise as_exception(error)
        return cast("T", result)

    async def _in_thread(self, schedule: str, call: Callable[[], Any]) -> Any:
        token = object()
        ended: list[bool] = []

        def run() -> Any:
            """Call it, and tell when it is over, also when it is no longer waited for."""
            try:
                return contextvars.copy_context().run(call)
            finally:
                ended.append(True)
                self._stuck.pop(token, None)

        try:
            result, error = await self._threads.run(run, self._timeout)
        except TimeoutError:
            self._stuck[token] = schedule
            if ended:  # just now
                self._stuck.pop(token, None)
            raise self._too_long(schedule) from None
        except Unavailable as none_left:
            raise UsageError(f"schedule {schedule}: {none_left}") from none_left
        if error is not None:
            raise as_exception(error)
        return result

    def _too_long(self, schedule: str) -> HandlerTimeout:
        return HandlerTimeout(f"schedule {schedule} ran longer than {self._timeout:g} s")


async def _outcome(begin: Callable[[], Awaitable[Any]]) -> tuple[Any, BaseException | None]:
    """Tell what it returned or raised: a task cannot hold all that code may raise."""
    IN_APPLICATION.set(True)
    try:
        return await begin(), None
    except BaseException as error:
        return None, error
