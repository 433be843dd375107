"""A process that another one of ours has started does not outlive it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping

import structlog

PARENT_MARK = "WORKER_PARENT"
"""Process id of the supervisor, or of what restarts the process for ``--reload``."""

OTHERS = ("WORKER_SUPERVISED", "WORKER_DIED_AT", "WORKER_READY_FD")
"""What else a supervisor tells a process: it means nothing to the processes that this one's handlers start."""

EVERY = 0.5
"""Seconds between looks at the parent."""

_TO = ">"

AGAIN = 5.0
"""Seconds after which a process that is still there is asked to stop once more."""

log = structlog.stdlib.get_logger("worker.parent")


def parenthood() -> Mapping[str, str]:
    """What a process that this one starts is to be told."""
    return {PARENT_MARK: str(os.getpid())}


def follow_parent(environment: MutableMapping[str, str] = os.environ) -> None:
    """Stop this process, in order, when the one that started it is gone; without one, do nothing.

    A supervisor that was killed cannot stop its processes. They would go on, beside those of the next supervisor.
    The parent is told by its number, not asked for: it may be gone before the first look. What handlers start must
    not take it for theirs, and this process may start anew in its place: the mark is addressed.
    """
    parent, _, child = environment.get(PARENT_MARK, "").partition(_TO)
    if child not in {"", str(os.getpid())}:
        for mark in (PARENT_MARK, *OTHERS):
            environment.pop(mark, None)
        return
    if not parent.isdigit():
        return
    environment[PARENT_MARK] = f"{parent}{_TO}{os.getpid()}"
    # a thread: it also looks while a handler holds up the loop
    threading.Thread(target=follow, args=(int(parent),), name="parent", daemon=True).start()


def follow(
    pid: int,
    *,
    parent: Callable[[], int] = os.getppid,
    stop: Callable[[], object] = lambda: os.kill(os.getpid(), signal.SIGTERM),
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Wait until the parent is another than ``pid``, then ask this process to stop until it does."""
    while parent() == pid:
        pause(EVERY)
    if structlog.is_configured():  # it may be gone before the command line has been read
        log.warning("the supervisor is gone; stopping")
    while True:
        stop()
        pause(AGAIN)
