"""Signals: TERM, HUP and the first INT ask a process to finish; the second INT forces it. Handlers cannot keep them away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator

import structlog

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

TIMERS = {
    signal.SIGALRM: signal.ITIMER_REAL,
    signal.SIGVTALRM: signal.ITIMER_VIRTUAL,
    signal.SIGPROF: signal.ITIMER_PROF,
}
"""What a handler's ``signal.alarm`` or ``setitimer`` sends: by default the end of the process."""

LEFT_BEHIND = (*TIMERS, signal.SIGXCPU)
"""These, and what tells that a limit of processor time is passed, which a handler has set for all."""

LOOK = 0.25
"""Seconds between looks at whether the signals are still this process's own."""

log = structlog.stdlib.get_logger("worker.signals")


@contextlib.contextmanager
def stop_signals(
    stop: Callable[[str], None],
    force: Callable[[], None],
    *,
    heard: Callable[[str], None] = lambda name: None,
    look: float = LOOK,
) -> Iterator[None]:
    """Call ``stop`` with the signal's name on TERM, HUP and the first INT, ``force`` on the next INT.

    ``heard`` is called with the name before that, at once, also while a handler holds up the loop; as is ``force``.
    Both run between any two steps of the main thread, and may take no lock.

    A handler that takes a signal for itself keeps it for ``look`` seconds at most. A process that is forked has none
    of this: there the signals do what they do by default.
    """
    listening = _Listening(stop, force, heard, look)
    listening.begin()
    try:
        yield
    finally:
        listening.end()


class _Listening:
    def __init__(
        self,
        stop: Callable[[str], None],
        force: Callable[[], None],
        heard: Callable[[str], None],
        look: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = stop
        self._force = force
        self._heard = heard
        self._look = look
        self._process = os.getpid()
        self._interrupted = False
        self._told = False
        self._kept = {number: signal.getsignal(number) for number in (*SIGNALS, *LEFT_BEHIND)}
        self._on_signal = self._take  # one object, to be known again
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        for number in LEFT_BEHIND:  # not ignored: what handlers start would inherit that
            if self._kept[number] is signal.SIG_DFL:
                signal.signal(number, _rung)
        # what was kept back until now, as after a renewal
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self._timer = self._loop.call_later(self._look, self._watch)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for number, timer in TIMERS.items():
            if signal.getsignal(number) is _rung:
                signal.setitimer(timer, 0.0)  # it would end what comes after
        for number, handler in self._kept.items():
            signal.signal(number, handler)

    def _take(self, number: int, _frame: object) -> None:
        if os.getpid() != self._process:  # in a child, between the fork and its own setting
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        name = signal.Signals(number).name
        self._heard(name)
        if number == signal.SIGINT:
            if self._interrupted:
                self._force()
            self._interrupted = True
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._stop, name)

    def _watch(self) -> None:
        """Take back the signals that a handler has taken."""
        taken = [number for number in SIGNALS if signal.getsignal(number) is not self._on_signal]
        for number in taken:
            signal.signal(number, self._on_signal)
        if taken and not self._told:
            self._told = True
            log.warning("a handler has taken signals for itself; taken back", signals=[n.name for n in taken])
        self._timer = self._loop.call_later(self._look, self._watch)


def _rung(_number: int, _frame: object) -> None:
    """Ignore a timer or limit that a handler has set and did not wait for: its message is done."""
