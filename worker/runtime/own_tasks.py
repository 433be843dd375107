"""Own tasks: those that the worker, its drivers and its server run, which a handler that cancels all it finds must not find."""

from __future__ import annotations

import asyncio
import gc
import os
from asyncio import Task
from contextvars import ContextVar
from pathlib import Path
from types import CodeType
from typing import Any

from worker.runtime.unclosed import Unclosed

IN_APPLICATION: ContextVar[bool] = ContextVar("in_application", default=False)
"""Set where application code runs: what is spawned there is the application's."""

_NONE = object()
_in_application, _hide = IN_APPLICATION.get, asyncio._unregister_task

_PACKAGE = Path(__file__).parents[1]
_OURS = (f"{_PACKAGE}{os.sep}", f"{_PACKAGE.parent / 'transports'}{os.sep}")


class OwnTasks:
    """A factory of tasks that keeps the process's own away from ``asyncio.all_tasks()``.

    A handler that cancels every task it finds finds the application's then: what handlers have left behind. Neither
    brokers, leases, heartbeats nor the messages of others end with that. It runs for each request, so it does little.

    Attributes:
        host: code of a coroutine, not of this package, whose tasks run application code.
    """

    __slots__ = ("host",)

    def __init__(self) -> None:
        self.host: CodeType | object = _NONE

    def __call__(self, loop: asyncio.AbstractEventLoop, coroutine: Any, /, **facts: Any) -> asyncio.Task[Any]:
        """Make a task."""
        code = getattr(coroutine, "cr_code", None)
        if code is self.host:
            coroutine = Unclosed(coroutine)
        task = Task(coroutine, loop=loop, **facts) if facts else Task(coroutine, loop=loop)
        if not _in_application() or (code is not None and code.co_filename.startswith(_OURS)):
            _hide(task)
        return task

    def reveal(self) -> None:
        """Show all that still run: the program ends, and what is left is ended, too.

        They are looked for among all objects, once: a list of them would cost each request something.
        """
        gc.unfreeze()
        for found in gc.get_objects():
            if issubclass(type(found), Task) and not found.done():
                asyncio._register_task(found)


def own_tasks(loop: asyncio.AbstractEventLoop) -> OwnTasks | None:
    """Return what makes the tasks of a loop; None where that is not this."""
    factory = loop.get_task_factory()
    return factory if isinstance(factory, OwnTasks) else None
