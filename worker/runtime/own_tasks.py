"""Own tasks: those that the worker, its drivers and its server run, which a handler that cancels all it finds must not find."""

from __future__ import annotations

import asyncio
import os
from contextvars import ContextVar
from pathlib import Path
from types import CodeType
from typing import Any
from weakref import WeakSet

from worker.runtime.unclosed import Unclosed

IN_APPLICATION: ContextVar[bool] = ContextVar("in_application", default=False)
"""Set where application code runs: what is spawned there is the application's."""

_PACKAGE = Path(__file__).parents[1]
_OURS = (f"{_PACKAGE}{os.sep}", f"{_PACKAGE.parent / 'transports'}{os.sep}")


class OwnTasks:
    """A factory of tasks that keeps the process's own away from ``asyncio.all_tasks()``.

    A handler that cancels every task it finds finds the application's then: what handlers have left behind. Neither
    brokers, leases, heartbeats nor the messages of others end with that.

    Attributes:
        hosts: code of coroutines, not of this package, whose tasks run application code.
    """

    def __init__(self) -> None:
        self.hosts: set[CodeType] = set()
        self._hidden: WeakSet[asyncio.Task[Any]] = WeakSet()

    def __call__(self, loop: asyncio.AbstractEventLoop, coroutine: Any, /, **facts: Any) -> asyncio.Task[Any]:
        """Make a task."""
        code = getattr(coroutine, "cr_code", None)
        if code in self.hosts:
            coroutine = Unclosed(coroutine)
        task = asyncio.Task(coroutine, loop=loop, **facts)
        if not IN_APPLICATION.get() or (code is not None and code.co_filename.startswith(_OURS)):
            asyncio._unregister_task(task)
            self._hidden.add(task)
        return task

    def reveal(self) -> None:
        """Show all that still run: the program ends, and whoever ends it looks for what is left."""
        for task in list(self._hidden):
            if not task.done():
                asyncio._register_task(task)


def own_tasks(loop: asyncio.AbstractEventLoop) -> OwnTasks | None:
    """Return what makes the tasks of a loop; None where that is not this."""
    factory = loop.get_task_factory()
    return factory if isinstance(factory, OwnTasks) else None
