"""How a program is stopped: by signals, by limits, in the end by force; and what it returns then."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import structlog

from worker.runtime.own_tasks import own_tasks
from worker.runtime.process.beginning import Beginning
from worker.runtime.process.forks import forks_apart
from worker.runtime.process.last_resort import MARGIN, LastResort, leave
from worker.runtime.process.readiness import tell_end
from worker.runtime.process.renewal import renew
from worker.runtime.process.signals import stop_signals
from worker.runtime.process.surroundings import surroundings_kept
from worker.runtime.threads import HANDLER_THREADS

FORCED = 1
"""Exit code after the second interrupt."""

RESTART = -1
"""What a program returns instead of an exit code that HUP has stopped: it is to be started anew."""

_HUP = "SIGHUP"
_GRACE = 0.5

log = structlog.stdlib.get_logger("worker")


class Stopping:
    """What a program knows of its end.

    Args:
        graceful_timeout: seconds for what runs; a little later the process ends, even where handlers run on.
        last_resort: sees to that.
        leave: ends the process at once with an exit code.
    """

    def __init__(
        self, graceful_timeout: float, last_resort: LastResort, leave: Callable[[int], object]
    ) -> None:
        self._leave = leave
        self._allowed = graceful_timeout + MARGIN
        self._last_resort = last_resort
        self._stop: Callable[[str], None] | None = None
        self._signals: list[str] = []
        self._starting = asyncio.current_task()
        self.given_up = False

    @property
    def code(self) -> int:
        """What the program returns after what it has heard, when it ends in order."""
        return RESTART if _HUP in self._signals else 0

    def calls(self, stop: Callable[[str], None]) -> None:
        """Call that with the signal's name; until this is said, a signal gives up the start."""
        self._stop = stop

    def heard(self, signal: str) -> None:
        """Set the time by which all must be over; takes no lock."""
        self._last_resort.arm(self._allowed, RESTART if signal == _HUP else self.code)

    def ask(self, signal: str) -> None:
        """Pass a signal on."""
        log.info("stopping", signal=signal)
        self._signals.append(signal)
        if self._stop is not None:
            self._stop(signal)
        elif self._starting is not None and not self.given_up:
            self.given_up = True
            self._starting.cancel()

    def force(self) -> None:
        """End at once; takes no lock."""
        self._last_resort.arm(0.0, FORCED)

    def bound(self) -> None:
        """Set the same time when it stops without a signal: by a limit, or as nothing is left. At once."""
        self._last_resort.arm(self._allowed)

    def expires(self, time_limit: float | None) -> None:
        """Set it for a limit of so many seconds from now, too: it holds also while a handler holds up the loop."""
        if time_limit is not None:
            self._last_resort.arm(time_limit + self._allowed)

    async def leave_deaf(self) -> None:
        """End the process where a handler will not end, be it a plain function's thread or a task.

        The interpreter would wait for it. Its message was given back, or comes back with its lease; what it does from
        now on would only be in the way of the next attempt.
        """
        if await _deaf_tasks() or _deaf_threads():
            log.warning("a handler would not end; leaving without it")
            self._leave(self.code)


@asynccontextmanager
async def signalled(graceful_timeout: float) -> AsyncIterator[Stopping]:
    """Stop on a signal; a second interrupt, or handlers that will not end, end the process.

    A start that a signal has given up ends the block.
    """
    leaving = partial(leave_as, Beginning.now())
    stopping = Stopping(graceful_timeout, LastResort(leaving), leaving)
    with stop_signals(stopping.ask, stopping.force, heard=stopping.heard), forks_apart(), surroundings_kept():
        try:
            yield stopping
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not stopping.given_up or task is None:
                raise
            task.uncancel()


def leave_as(beginning: Beginning, code: int) -> None:
    """End the process at once with an exit code, or start it anew."""
    if code == RESTART:
        renew(sys.argv[1:], beginning)
        code = 0
    tell_end()
    leave(code)


async def _deaf_tasks() -> bool:
    own = own_tasks(asyncio.get_running_loop())
    if own is not None:
        own.reveal()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    return bool(tasks and (await asyncio.wait(tasks, timeout=_GRACE))[1])


def _deaf_threads() -> bool:
    end = time.monotonic() + _GRACE
    deaf = [thread for thread in threading.enumerate() if thread.name.startswith(HANDLER_THREADS)]
    for thread in deaf:
        thread.join(max(0.0, end - time.monotonic()))
    return any(thread.is_alive() for thread in deaf)
