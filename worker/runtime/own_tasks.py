"""Own tasks: those that the worker, its drivers and its server run, which a handler that cancels all it finds must not find."""

from __future__ import annotations

import asyncio
import gc
import os
from asyncio import Task
from collections.abc import Coroutine
from contextvars import Context, ContextVar, copy_context
from pathlib import Path
from typing import Any

from worker.runtime.unclosed import Unclosed

IN_APPLICATION: ContextVar[bool] = ContextVar("in_application", default=False)
"""Set where application code runs: what is spawned there is the application's."""

_in_application, _hide = IN_APPLICATION.get, asyncio._unregister_task

_PACKAGE = Path(__file__).parents[1]
_OURS = (f"{_PACKAGE}{os.sep}", f"{_PACKAGE.parent / 'transports'}{os.sep}")


class OwnTasks:
    """A factory of tasks that keeps the process's own away from ``asyncio.all_tasks()``.

    A handler that cancels every task it finds finds the application's then: what handlers have left behind. Neither
    brokers, leases, heartbeats nor the messages of others end with that.
    """

    __slots__ = ()

    def __call__(self, loop: asyncio.AbstractEventLoop, coroutine: Any, /, **facts: Any) -> asyncio.Task[Any]:
        """Make a task."""
        task = Task(coroutine, loop=loop, **facts) if facts else Task(coroutine, loop=loop)
        if not _in_application() or _is_ours(coroutine):
            _hide(task)
        return task

    def reveal(self) -> None:
        """Show all that still run: the program ends, and what is left is ended, too.

        They are looked for among all objects, once: a list of them would cost each request something. What was set
        apart for the collector before the loop's first task is no task, and much: it is left alone.
        """
        objects = gc.get_objects()
        if not any(found is self for found in objects):  # application code has set apart more, tasks too
            gc.unfreeze()
            objects = gc.get_objects()
        for found in objects:
            if issubclass(type(found), Task) and not found.done():
                asyncio._register_task(found)


def _is_ours(coroutine: Any) -> bool:
    code = getattr(coroutine, "cr_code", None)
    return code is not None and code.co_filename.startswith(_OURS)


def hosting(context: Context, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Make a task of the process's own that runs application code. It runs for each request, so it does little.

    Args:
        context: as ``application_context`` made it; the task runs in a copy.
        coroutine: what it waits for cannot close it.
    """
    task: asyncio.Task[None] = Task(Unclosed(coroutine), context=context.copy())  # type: ignore[arg-type]
    _hide(task)
    return task


def application_context() -> Context:
    """Copy the context, for application code to run in."""
    context = copy_context()
    context.run(IN_APPLICATION.set, True)
    return context


def own_tasks(loop: asyncio.AbstractEventLoop) -> OwnTasks | None:
    """Return what makes the tasks of a loop; None where that is not this."""
    factory = loop.get_task_factory()
    return factory if isinstance(factory, OwnTasks) else None
