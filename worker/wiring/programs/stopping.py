"""How a program is stopped: by signals, in the end by force; and what it returns then."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from worker.runtime.signals import stop_signals
from worker.wiring.service import HANDLER_THREADS

FORCED = 1
"""Exit code after the second interrupt."""

RESTART = -1
"""What a program returns instead of an exit code that HUP has stopped: it is to be started anew."""

_HUP = "SIGHUP"
_THREAD_GRACE = 0.5

log = structlog.stdlib.get_logger("worker")


@asynccontextmanager
async def signalled(stop: Callable[[str], None], graceful_timeout: float) -> AsyncIterator[list[str]]:
    """Stop on a signal; a second interrupt, or a handler that will not end, ends the process.

    Gives the names of the signals that came.
    """
    loop = asyncio.get_running_loop()
    overdue: list[asyncio.TimerHandle] = []
    seen: list[str] = []

    def ask(reason: str) -> None:
        """Pass the signal on, and set the time by which all must be over."""
        log.info("stopping", signal=reason)
        seen.append(reason)
        stop(reason)
        overdue.append(loop.call_later(graceful_timeout + 30.0, _leave, FORCED))

    with stop_signals(ask, lambda: _leave(FORCED)):
        try:
            yield seen
        finally:
            for timer in overdue:
                timer.cancel()


def ended(seen: Sequence[str]) -> int:
    """Give what a program returns that ended in order, after these signals."""
    return RESTART if _HUP in seen else 0


def leave_deaf_threads() -> None:
    """End the process where a handler that is a plain function will not end: the interpreter waits for its thread.

    Its message was given back; what it does from now on would only be in the way of the next attempt.
    """
    end = time.monotonic() + _THREAD_GRACE
    deaf = [thread for thread in threading.enumerate() if thread.name.startswith(HANDLER_THREADS)]
    for thread in deaf:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in deaf):
        log.warning("a handler would not end; leaving without it")
        _leave(0)


def _leave(code: int) -> None:
    """End the process at once: threads that never end must not keep it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
