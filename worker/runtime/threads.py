"""Threads: where handlers run that are plain functions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog

from worker.errors import Unavailable

HANDLER_THREADS = "handler"
"""What the names of the threads begin with."""

SPARE = 32
"""Threads with a handler that would not end in which others take the place; what one process can bear."""

Outcome = tuple[Any, BaseException | None]
"""What a call returned, or what it raised: a future cannot hold all that code may raise."""

_NONE_LEFT = "no thread is left for a plain def handler: handlers that run on after their timeout hold them, or the system has none"

log = structlog.stdlib.get_logger("worker.threads")


class Threads:
    """Runs calls in threads, which are made as they are needed.

    A call that runs out of time cannot be stopped. Its thread is given up and another takes its place, until
    ``spare`` are given up at once; from then on there are fewer for the others, and at last none. A thread that was
    given up is of use again when its call ends. The interpreter does not wait for any of them at its end.

    Args:
        size: calls that run at once.
        spare: threads given up that are replaced.
        now: monotonic seconds.
    """

    def __init__(self, size: int, spare: int = SPARE, now: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._spare = spare
        self._now = now
        self._lock = threading.Lock()
        self._wanted = threading.Condition(self._lock)
        self._waiting: deque[_Call] = deque()
        self._idle = 0
        self._serving = 0  # threads that take calls
        self._given_up = 0  # threads whose call is not waited for any more
        self._closed = False

    async def run(self, call: Callable[[], Any], limit: float | None = None) -> Outcome:
        """Run a call and tell how it ended; whatever it raises is in the outcome. Cancelling gives its thread up.

        Args:
            call: takes nothing.
            limit: seconds that it may take, from its start in its thread; the time before does not count.

        Raises:
            TimeoutError: the limit is over.
            Unavailable: it was not started, as every thread is held by a call that would not end.
        """
        waiting = self._begin(call)
        try:
            if limit is not None:
                await self._within(waiting, limit)
            return await waiting.future
        except BaseException:
            self._give_up(waiting)
            raise

    def troubles(self) -> tuple[str, ...]:
        """Say that no further thread that is given up will be replaced, while it is so."""
        count = self._given_up
        if count < self._spare:
            return ()
        left = max(0, min(self._size, self._size + self._spare - count))
        held = f"{count} threads of plain def handlers are held by what runs on after its timeout"
        return (f"{held}, and no more are replaced: {left} of {self._size} are left. Restart the process",)

    def close(self) -> None:
        """Let go of the threads, waiting for none; what has not started is not run."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._wanted.notify_all()

    async def _within(self, call: _Call, limit: float) -> None:
        """Return when the call has ended within its time."""
        while not call.future.done():
            left = limit if call.started is None else call.started + limit - self._now()
            if left > 0:
                await asyncio.wait([call.future], timeout=left)
            elif self._give_up(call):
                raise TimeoutError
            else:  # it has just ended
                return

    def _begin(self, call: Callable[[], Any]) -> _Call:
        made = _Call(call)
        with self._lock:
            if self._closed:
                raise Unavailable("the process is stopping")
            self._waiting.append(made)
            if len(self._waiting) <= self._idle:
                self._wanted.notify()
            else:
                self._grow()
            self._fail_stranded()
        return made

    def _give_up(self, call: _Call) -> bool:
        """Stop waiting for a call; False when it has ended."""
        with self._lock:
            if call.ended or call.given_up:
                return False
            if call.started is None:
                with contextlib.suppress(ValueError):  # it was cleared away
                    self._waiting.remove(call)
                call.ended = True
                return True
            call.given_up = True
            self._given_up += 1
            self._serving -= 1
            if self._waiting:
                self._grow()
            self._fail_stranded()
            return True

    def _grow(self) -> None:
        if self._serving >= self._size or self._serving + self._given_up >= self._size + self._spare:
            return
        try:
            threading.Thread(target=self._serve, name=HANDLER_THREADS, daemon=True).start()
        except RuntimeError as error:  # the system has none left
            log.warning("no thread could be started for a handler", error=str(error))
        else:
            self._serving += 1

    def _fail_stranded(self) -> None:
        """Turn back what waits where no thread is left that could ever take it."""
        while self._waiting and not self._serving:
            call = self._waiting.popleft()
            call.ended = True
            call.tell((None, Unavailable(_NONE_LEFT)))

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
                while not self._waiting and not self._closed:
                    self._wanted.wait()
                self._idle -= 1
                if self._closed:
                    self._serving -= 1
                    return
                call = self._waiting.popleft()
                call.started = self._now()
            outcome = call.run()
            with self._lock:
                call.ended = True
                if call.given_up:
                    self._given_up -= 1
                    if self._serving >= self._size:
                        return  # another has its place
                    self._serving += 1
                else:
                    call.tell(outcome)
            del call, outcome  # nothing of a message is held while there is no next one


class _Call:
    """One call: waiting, started, then ended or given up."""

    __slots__ = ("_call", "_loop", "ended", "future", "given_up", "started")

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Outcome] = self._loop.create_future()
        self.started: float | None = None
        self.ended = False
        self.given_up = False

    def run(self) -> Outcome:
        """Make the call."""
        try:
            return self._call(), None
        except BaseException as error:
            return None, error

    def tell(self, outcome: Outcome) -> None:
        """Hand the outcome to the caller that waits; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: no task waits
            self._loop.call_soon_threadsafe(self._resolve, outcome)

    def _resolve(self, outcome: Outcome) -> None:
        if not self.future.done():
            self.future.set_result(outcome)
