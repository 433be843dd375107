"""The event loop that programs run on: uvloop where it exists; and a garbage collector that suits it."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog

from worker.errors import UsageError
from worker.runtime.own_tasks import OwnTasks
from worker.texts import told

T = TypeVar("T")

_THRESHOLDS = (10_000, 20, 20)

THREADS = 128
"""Threads of ``asyncio.to_thread``, which handlers and the worker share: a handler that holds some for good must not keep
the worker from its files and from looking up names. Made as they are needed."""

log = structlog.stdlib.get_logger("worker")


def run(main: Coroutine[object, object, T]) -> T:
    """Run a program that stays, on a loop that only the program ends."""
    with seldom_collecting(), asyncio.Runner(loop_factory=enduring(_kind())) as runner:
        loop = runner.get_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="loop"))
        tasks = OwnTasks()
        loop.set_task_factory(tasks)
        try:
            return runner.run(main)
        finally:
            tasks.reveal()  # for the runner, which ends what is left


def _kind() -> type[asyncio.AbstractEventLoop]:
    """Choose uvloop where it is installed, else the standard loop."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        if sys.platform == "win32":
            return asyncio.ProactorEventLoop
        return asyncio.SelectorEventLoop
    return uvloop.Loop


def enduring(kind: type[asyncio.AbstractEventLoop]) -> type[asyncio.AbstractEventLoop]:
    """Make a kind of loop that goes on where code in a task or callback of its own calls ``sys.exit`` or stops the loop.

    Such an error ends its task, passes through the loop and would end the program with all that it has in hand.
    What a handler spawns runs beside it, so its failure is no message's: it is logged. Costs nothing while it does not happen.
    """

    class Enduring(kind):  # type: ignore[misc, valid-type]
        """A loop that only its main task ends, or takes apart."""

        _main: asyncio.Future[Any] | None = None

        async def shutdown_asyncgens(self) -> None:
            """End what generators are open, at the program's end: everything that it has opened would be closed."""
            self._only_at_the_end("shutdown_asyncgens")
            await super().shutdown_asyncgens()

        async def shutdown_default_executor(self, *given: Any, **more: Any) -> None:
            """End the threads that the worker and handlers share, at the program's end."""
            self._only_at_the_end("shutdown_default_executor")
            await super().shutdown_default_executor(*given, **more)

        def set_default_executor(self, executor: Any) -> None:
            """Take other threads for what the worker and handlers share, before the program runs."""
            if self.is_running():
                self._only_at_the_end("set_default_executor")
            super().set_default_executor(executor)

        def set_task_factory(self, factory: Any) -> None:
            """Take another factory of tasks, before the program runs."""
            if self.is_running():
                self._only_at_the_end("set_task_factory")
            super().set_task_factory(factory)

        def _only_at_the_end(self, call: str) -> None:
            if asyncio.current_task() is not self._main:
                raise UsageError(f"loop.{call}(): the loop is the worker's, which all messages share")

        def run_until_complete(self, future: Any) -> Any:
            """Run until the future is done, whatever else wants the loop to end."""
            main = self._main = asyncio.ensure_future(future, loop=self)
            while True:
                try:
                    return super().run_until_complete(main)
                except (SystemExit, KeyboardInterrupt, RuntimeError) as error:
                    if main.done():
                        return main.result()
                    if self.is_closed() or self.is_running() or _interrupted(main, error):
                        raise
                    log.error(
                        "code beside a handler wanted to end the process; it goes on",
                        error=told(error),
                        exc_info=error,
                    )

    return Enduring


def _interrupted(main: asyncio.Future[Any], error: BaseException) -> bool:
    """Whether the user at the keyboard insists: the first interrupt has cancelled the main task, this is the second."""
    if not isinstance(error, KeyboardInterrupt):
        return False
    return not isinstance(main, asyncio.Task) or main.cancelling() > 0


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Let the collector look less often, and never at what is there already: modules, types, the application.

    A thousand messages in flight are some ten thousand objects, none of them garbage. With the thresholds that
    Python starts with, a third of publishing's processor time is spent on looking at them again and again.
    """
    before, set_apart = gc.get_threshold(), gc.get_freeze_count()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not set_apart:
            gc.unfreeze()
