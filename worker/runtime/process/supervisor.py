"""The supervisor: several worker processes, restarted with back-off, replaced one by one on HUP, each by one that works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from worker.runtime.process.parent import parenthood
from worker.runtime.process.readiness import Readiness

FIRST_BACK_OFF = 0.5
LONGEST_BACK_OFF = 30.0
STEADY = 30.0
"""Seconds that a process must have lived for its next restart to be immediate again."""

FATAL = frozenset({2, 3})
"""Exit codes that end the whole when a first process comes back with them: wrong configuration, nothing to reach. Not
where a handler has ended a process that worked."""

READY = 60.0
"""Seconds within which a process that is to replace another one must work."""

MARGIN = 1.8
"""Seconds beyond the graceful timeout after which a process is killed: a little more than it takes to leave by itself."""

_POLL = 0.1

log = structlog.stdlib.get_logger("worker.supervisor")

CHILD_MARK = "WORKER_SUPERVISED"
DEATH_MARK = "WORKER_DIED_AT"
"""When the process died in whose place another is started, on the machine's monotonic clock: transports may care."""


@dataclass(slots=True)
class Child:
    """One place in the fleet and the process that fills it."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    readiness: Readiness | None = None
    started: float = 0.0
    starts: int = 0
    failures: int = 0
    due: float = 0.0
    died: float | None = None
    finished: int | None = None

    def works(self) -> bool:
        """Whether its process has said that it works."""
        return self.readiness is not None and self.readiness.said()

    def ended(self) -> bool:
        """Whether its process has said that it ends by itself."""
        return self.readiness is not None and self.readiness.ended()

    def gone(self) -> None:
        """Forget its process."""
        self.process = None
        if self.readiness is not None:
            self.readiness.close()
            self.readiness = None


class Supervisor:
    """Keeps ``count`` processes of one command line running.

    A process that came to work, says that it ends and exits with 0 has reached a limit: it is started anew, unless it
    was asked to work until something is done (``once``). One that fails, that ends before it works, or that a handler
    has ended, whatever its code, is started again after a growing pause. On HUP each is replaced once its successor works; where one does not, it and those after
    it stay as they are.

    Args:
        command: what to run.
        count: how many.
        graceful_timeout: seconds between TERM and KILL.
        once: do not start a process again that ended by itself with 0.
        now: monotonic seconds.
    """

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        graceful_timeout: float,
        *,
        once: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = list(command)
        self._children = [Child(number) for number in range(1, count + 1)]
        self._graceful_timeout = graceful_timeout
        self._once = once
        self._now = now
        self._stopping = False
        self._forced = False
        self._rolling = False
        self._interrupts = 0

    def run(self) -> int:
        """Keep the processes running until a signal or until all are done; return the exit code."""
        kept = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._on_term),
            signal.SIGINT: signal.signal(signal.SIGINT, self._on_int),
            signal.SIGHUP: signal.signal(signal.SIGHUP, self._on_hup),
        }
        # what was kept back until now; what this process starts is not to inherit that
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        try:
            return self._keep()
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    def _keep(self) -> int:
        while not self._stopping:
            for child in self._children:
                self._look_after(child)
            fatal = self._fatal()
            if fatal is not None:
                self._stop_all()
                return fatal
            if all(child.finished is not None for child in self._children):
                return max(child.finished or 0 for child in self._children)
            if self._rolling:
                self._rolling = False
                self._roll()
            time.sleep(_POLL)
        return self._stop_all()

    def _look_after(self, child: Child) -> None:
        if child.finished is not None:
            return
        if child.process is None:
            if self._now() >= child.due:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        lived = self._now() - child.started
        worked, ended = child.works(), child.ended()
        child.gone()
        if code == 0 and ended and self._once:
            child.finished = 0
            return
        child.failures = 0 if (code == 0 and worked and ended) or lived >= STEADY else child.failures + 1
        if child.starts == 1 and code in FATAL and lived < STEADY and (ended or not worked):
            child.finished = code
            return
        child.died = None if code == 0 and ended else time.monotonic()
        pause = min(FIRST_BACK_OFF * 2 ** (child.failures - 1), LONGEST_BACK_OFF) if child.failures else 0.0
        child.due = self._now() + pause
        log.warning("worker process ended", number=child.number, code=code, restart_in=pause)

    def _fatal(self) -> int | None:
        codes = [child.finished for child in self._children if child.finished in FATAL]
        return codes[0] if codes else None

    def _start(self, child: Child) -> None:
        readiness = Readiness()
        marks = {CHILD_MARK: str(child.number), **parenthood(), **readiness.environment()}
        if child.died is not None:
            marks[DEATH_MARK] = str(child.died)
        try:
            child.process = subprocess.Popen(
                self._command,
                env={**os.environ, **marks},
                start_new_session=True,
                pass_fds=(readiness.given,),
            )
        finally:
            readiness.hand_over()
        child.readiness = readiness
        child.started = self._now()
        child.starts += 1
        log.info("worker process started", number=child.number, pid=child.process.pid)

    def _roll(self) -> None:
        for place, child in enumerate(self._children):
            if child.finished is not None:
                continue
            successor = Child(child.number, starts=child.starts)
            self._start(successor)
            if not self._works(successor):
                self._end([successor])
                if not self._stopping:
                    log.error("the new process does not work; the others stay", number=child.number)
                return
            self._children[place] = successor
            self._end([child])
            if self._stopping:
                return

    def _works(self, successor: Child) -> bool:
        """Wait until a new process says that it works, or has done its work; looks after the others meanwhile."""
        assert successor.process is not None
        while not self._stopping and self._now() < successor.started + READY:
            code = successor.process.poll()
            if code is not None:
                return code == 0
            if successor.works():
                return True
            for child in self._children:
                self._look_after(child)
            time.sleep(_POLL)
        return False

    def _stop_all(self) -> int:
        self._end(self._children)
        return 1 if self._forced else 0

    def _end(self, children: Sequence[Child]) -> None:
        """Ask processes to finish; kill what has not by the graceful timeout and a little more."""
        running = [child.process for child in children if child.process is not None]
        for process in running:
            _signal(process, signal.SIGTERM)
        end = self._now() + self._graceful_timeout + MARGIN
        while any(process.poll() is None for process in running) and self._now() < end and not self._forced:
            time.sleep(_POLL / 2)
        for process in running:
            if process.poll() is None:
                log.error("worker process killed", pid=process.pid)
                _signal(process, signal.SIGKILL)
            process.wait()
        for child in children:
            child.gone()

    def _on_term(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _on_int(self, _number: int, _frame: object) -> None:
        self._interrupts += 1
        self._forced = self._interrupts > 1
        self._stopping = True

    def _on_hup(self, _number: int, _frame: object) -> None:
        self._rolling = True


def command_line(arguments: Sequence[str]) -> list[str]:
    """Make the command that runs this very package with these arguments in the same interpreter.

    By its file: a module by the name of ``worker`` in the current folder is the application's own.
    """
    program = Path(__file__).parents[2] / "__main__.py"
    return [sys.executable, "-X", "utf8", "-P", str(program), *arguments]


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        process.send_signal(number)
    except ProcessLookupError:
        return
