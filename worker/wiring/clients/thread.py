"""A desk on a loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

from worker.errors import PublishFailed, UsageError
from worker.wiring.clients.desk import Desk
from worker.wiring.clients.joined import Runner

T = TypeVar("T")

_END = 10.0
"""Seconds that the loop has to end when nothing is left to be done in it."""


class Executor(ThreadPoolExecutor):
    """Runs each call in a thread of its own, also when the interpreter ends: Python's own takes nothing any more then."""

    def submit(self, fn: Callable[..., T], /, *given: Any, **more: Any) -> Future[T]:
        """Begin a call."""
        future: Future[T] = Future()

        def run() -> None:
            """Do it."""
            if not future.set_running_or_notify_cancel():
                return
            try:
                found = fn(*given, **more)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(found)

        try:
            threading.Thread(target=run, name="worker-client-call", daemon=True).start()
        except RuntimeError:  # too late for that, too
            run()
        return future


Errand = tuple[Callable[[], Any], "asyncio.Future[Any]"]
"""What the calling thread does for the loop, and where its outcome goes."""


class ClientThread:
    """Opens a client's desk in a thread, and calls it from others.

    Args:
        desk: not opened; nothing else uses it.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(Executor())
        self._thread = threading.Thread(target=self._run, name="worker-client", daemon=True)
        self._none_open = threading.Event()
        self._none_open.set()
        self._open: set[Future[Any]] = set()

    def start(self) -> None:
        """Open the desk; whatever is raised there, its thread has ended then."""
        self._thread.start()
        try:
            self._submit(self.desk.open()).result()
        except BaseException:
            self._end()
            raise

    def begin(self, call: Callable[[Desk, Runner], Coroutine[Any, Any, T]]) -> Call:
        """Begin a call of the desk; ``result`` of what is returned waits for its end.

        Raises:
            UsageError: this is the client's own thread, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise UsageError(
                "a sync client is called by a handler or middleware that runs in it; use context.dispatch(), or "
                "asyncio.to_thread"
            )
        errands: SimpleQueue[Errand | None] = SimpleQueue()

        async def run(work: Callable[[], Any]) -> Any:
            """Have the calling thread do something."""
            outcome = self._loop.create_future()
            errands.put((work, outcome))
            return await outcome

        future = self._submit(call(self.desk, run))
        self._none_open.clear()
        self._open.add(future)
        future.add_done_callback(self._ended)
        return Call(future, errands, self._loop)

    def idle(self, seconds: float) -> bool:
        """Wait until no call is under way; False when some are after that time, or this is the client's own thread."""
        return threading.current_thread() is not self._thread and self._none_open.wait(seconds)

    def stop(self) -> None:
        """Close the desk and end its thread: what is under way is confirmed first, or named in the log."""
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            return
        try:
            self._submit(self.desk.close()).result()
        finally:
            self._end()

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _ended(self, future: Future[Any]) -> None:
        self._open.discard(future)
        if not self._open:
            self._none_open.set()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_END)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()


class Call:
    """A call that another thread does, and for which this one runs errands meanwhile: what may be done only here."""

    def __init__(
        self, future: Future[Any], errands: SimpleQueue[Errand | None], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._future = future
        self._errands = errands
        self._loop = loop
        future.add_done_callback(lambda _: errands.put(None))

    def result(self) -> Any:
        """Wait for the end and return what was returned, or raise what was raised."""
        while (errand := self._errands.get()) is not None:
            work, outcome = errand
            try:
                found = work()
            except BaseException as error:
                self._tell(outcome, None, error)
                if not isinstance(error, Exception):
                    raise
            else:
                self._tell(outcome, found, None)
        try:
            return self._future.result()
        except CancelledError:
            raise PublishFailed(
                "the client was closed before the broker has confirmed", unknown=True
            ) from None

    def _tell(self, outcome: asyncio.Future[Any], found: Any, error: BaseException | None) -> None:
        def tell() -> None:
            """In the loop's thread."""
            if outcome.done():
                return
            if error is None:
                outcome.set_result(found)
            elif isinstance(error, Exception) and not isinstance(error, StopIteration):
                outcome.set_exception(error)
            else:
                outcome.cancel()

        self._loop.call_soon_threadsafe(tell)
