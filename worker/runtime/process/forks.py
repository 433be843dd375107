"""Forks: what a process that a handler forks must not have in common with the worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

import structlog

from worker.runtime.process.signals import LEFT_BEHIND, SIGNALS

CAME_BACK = 70
"""Exit code of a forked process that came back from its handler: it must not go on as a second worker."""

_DESCRIPTORS, _FACTS = Path("/proc/self/fd"), Path("/proc/self/fdinfo")
_WATCHED = re.compile(r"^tfd: +(\d+)", re.MULTILINE)

_OURS = f"{Path(__file__).parents[2]}{os.sep}"
_NEVER_BACK = f"multiprocessing{os.sep}popen_fork.py"

log = structlog.stdlib.get_logger("worker.forks")


@contextlib.contextmanager
def forks_apart(
    *,
    register: Callable[..., object] = os.register_at_fork,
    end: Callable[[int], NoReturn] = os._exit,
) -> Iterator[None]:
    """Part every process that is forked in the block from this one, the moment it is there.

    Signals do there what they do by default, so that it ends when it is told to, and tell this process nothing. The
    connections of this process's loop are not open there: nothing that it writes or closes reaches a broker or a
    database, and they end with this process. A child that comes back from its handler, in place of ending, ends.
    """
    parting = _Parting(asyncio.get_running_loop(), end)
    register(before=parting.before, after_in_parent=parting.in_parent, after_in_child=parting.in_child)
    try:
        yield
    finally:
        parting.over = True  # what was registered cannot be taken back


class _Parting:
    def __init__(self, loop: asyncio.AbstractEventLoop, end: Callable[[int], NoReturn]) -> None:
        self.over = False
        self._loop = loop
        self._end = end
        self._ours = {number: signal.getsignal(number) for number in (*SIGNALS, *LEFT_BEHIND)}
        self._thread = threading.local()

    def before(self) -> None:
        # Python forgets what reaches a child before it is set up: it is told afterwards
        self._thread.mask = None if self.over else signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def in_parent(self) -> None:
        mask = getattr(self._thread, "mask", None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def in_child(self) -> None:
        if self.over:
            return
        self.over = True  # its own children have nothing of this process any more
        with contextlib.suppress(Exception):  # a child with too much is better than none
            default_signals(self._ours)
        self.in_parent()
        with contextlib.suppress(Exception):
            drop_connections()
        with contextlib.suppress(Exception):
            watch_return(self._came_back)
        with contextlib.suppress(Exception):
            self._loop.call_soon(self._came_back)
            # a plain function comes back in its thread, and tells the loop so
            self._loop.call_soon_threadsafe = self._came_back  # type: ignore[method-assign]

    def _came_back(self, *_: object, **__: object) -> NoReturn:
        try:
            log.error(
                "a process that a handler forked came back from it; it ends: end it by os._exit",
                pid=os.getpid(),
            )
        finally:
            self._end(CAME_BACK)


def watch_return(came_back: Callable[[], object]) -> None:
    """Call that the moment this thread goes on in the code of ours that has called the handler, or waits for the loop.

    Else a child would settle the message, begin the next one, and go on with what other handlers wait for, until the
    loop has its turn. It costs a child a little with each call of a function; one of ``multiprocessing`` never comes
    back, and is let alone.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (frame.f_code.co_filename == __file__ or not _is_ours(frame)):
        if frame.f_code.co_filename.endswith(_NEVER_BACK):
            return
        frame = frame.f_back
    if frame is None:
        return

    def back(*_: object) -> None:
        came_back()

    frame.f_trace = back
    sys.settrace(lambda *_: None)


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_OURS)


def default_signals(ours: Mapping[signal.Signals, object]) -> None:
    """Let the signals for which these handlers are set do what they do by default; wake no loop by them."""
    signal.set_wakeup_fd(-1)
    for number, handler in ours.items():
        if signal.getsignal(number) is handler:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)


def drop_connections() -> None:
    """Put ``/dev/null`` in the place of everything that a loop waits for, where the system tells of it (Linux).

    The numbers stay taken, so that what closes them closes nothing else. What watches them is replaced too: it is
    the same for both processes, and one that changes it changes it for the other.
    """
    if not _DESCRIPTORS.exists():
        return
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in list(_DESCRIPTORS.iterdir()):
        with contextlib.suppress(OSError):  # the listing's own
            if "[eventpoll]" not in str(descriptor.readlink()):
                continue
            for watched in _WATCHED.findall((_FACTS / descriptor.name).read_text()):
                os.dup2(null, int(watched), inheritable=False)
            with select.epoll() as fresh:
                os.dup2(fresh.fileno(), int(descriptor.name), inheritable=False)
    os.close(null)
