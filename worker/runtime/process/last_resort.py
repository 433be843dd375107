"""The last resort: ends the process when a stop takes longer than it may, whatever handlers do."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import NamedTuple

import structlog

MARGIN = 1.5
"""Seconds beyond the graceful timeout: to give back what still runs, and to let go of brokers and database."""

_WORDS = 0.2

log = structlog.stdlib.get_logger("worker.stop")


class LastResort:
    """A thread that waits beside the loop, so that no handler can hold it up.

    Args:
        leave: ends the process with an exit code.
    """

    def __init__(self, leave: Callable[[int], object]) -> None:
        self._leave = leave
        self._asked: SimpleQueue[_End] = SimpleQueue()  # takes no lock: signals may put
        threading.Thread(target=self._wait, name="last-resort", daemon=True).start()

    def arm(self, seconds: float, code: int = 0) -> None:
        """End the process with ``code`` if it is still there after so many seconds; the earliest end counts."""
        self._asked.put(_End(time.monotonic() + seconds, code, late=seconds > 0))

    def _wait(self) -> None:
        first: _End | None = None
        while True:
            try:
                asked = self._asked.get(
                    timeout=None if first is None else max(0.0, first.at - time.monotonic())
                )
            except Empty:
                break
            first = asked if first is None else min(first, asked)
        if first is not None:
            # no memory, no threads, a log that raises: it ends all the same
            with contextlib.suppress(BaseException):
                if first.late:
                    say_where()
            self._leave(first.code)


class _End(NamedTuple):
    at: float
    code: int
    late: bool
    """Whether the stop takes too long; else the end is wanted now."""


def say_where() -> None:
    """Log what the loop's thread is at, as far as the log takes it."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    at = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}" if frame else None
    _beside(lambda: log.error("the stop takes too long; leaving without what still runs", at=at))


def leave(code: int) -> None:
    """End the process at once, with the processes that its handlers have started by ``multiprocessing``."""
    try:
        _beside(_end_children)
        _beside(_flush)
    finally:
        os._exit(code)


def _beside(work: Callable[[], object]) -> None:
    """Do it in a thread that is not waited for long: a log whose reader is stuck must not keep the process."""
    # a process that goes down, or has no room, starts no threads
    with contextlib.suppress(RuntimeError, MemoryError):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(_WORDS)


def _end_children() -> None:
    known = sys.modules.get("multiprocessing")  # not for processes without
    for child in known.active_children() if known is not None else ():
        child.kill()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed, at one end or the other
            stream.flush()
