"""Real processes of the worker: started, watched, signalled, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.brokers import ports
from tests.e2e.waiting import PATIENCE, until
from tests.warm.interpreter import Interpreter, Started

ROOT = Path(__file__).parents[2]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process: this one's, without settings of a worker, and with the repository to import."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKER_")}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **(extra or {})}


def free_port() -> int:
    """A port on the loopback address that is free now, and that no connection is given before it is used."""
    return ports.choose()


class Process:
    """One ``worker`` process; its output goes to ``log``.

    Args:
        warm: what it is forked from; None for a start of Python of its own.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        log: Path,
        extra: Mapping[str, str] | None,
        warm: Interpreter | None = None,
    ) -> None:
        self.arguments = list(arguments)
        self.log_file = log
        self._popen: subprocess.Popen[bytes] | Started
        with log.open("ab") as out, open(os.devnull) as nothing:
            streams = (nothing.fileno(), out.fileno(), out.fileno())
            if warm is not None:
                self._popen = warm.start(arguments, folder, environment(extra), streams)
            else:
                self._popen = subprocess.Popen(
                    [sys.executable, "-m", "worker", *arguments],
                    cwd=folder,
                    env=environment(extra),
                    stdin=nothing,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def log(self) -> str:
        """Everything it has printed so far."""
        return self.log_file.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def term(self) -> None:
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """``kill -9`` and wait for the end; harmless when it has ended."""
        self._popen.kill()
        self._popen.wait(10)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for the end by itself; return the exit code."""
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"still running after {timeout:g} s: {self.arguments}\n{self.log[-4000:]}"
            ) from None

    def stop(self, timeout: float = PATIENCE) -> float:
        """TERM; assert that it ends with 0, and return how many seconds that took."""
        started = time.monotonic()
        self.term()
        code = self.wait(timeout)
        assert code == 0, f"exit code {code}: {self.arguments}\n{self.log[-4000:]}"
        return time.monotonic() - started

    def until_logged(self, text: str, timeout: float = PATIENCE) -> None:
        """Wait until it has printed ``text``; fail at once when it ends before."""

        def look() -> bool:
            if text in self.log:
                return True
            assert self.running, (
                f"ended with {self._popen.poll()} before it said {text!r}\n{self.log[-4000:]}"
            )
            return False

        until(look, f"{self.arguments} says {text!r}", timeout)

    def children(self) -> list[int]:
        """Process ids of its children (Linux)."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def destroy(self) -> None:
        """Leave nothing behind, whatever state it is in."""
        pids = self.children() if self.running else []
        if self.running:
            self.kill()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
