"""One server process in a process group of its own, known to the run's guard."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.brokers import ports
from tests.brokers.place import Place, born, end_group
from tests.e2e.waiting import until


class Daemon:
    """Started, killed and started again, always on the same port.

    Args:
        command: what runs in the foreground.
        folder: where its log goes.
        port: the port that it listens on; the next start waits until it is closed.
        stop_signal: what makes it stop in order.
    """

    def __init__(
        self,
        place: Place,
        command: Sequence[str],
        *,
        folder: Path,
        port: int,
        environment: Mapping[str, str] | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self._place = place
        self._command = list(command)
        self._environment = {**_plain(), **(environment or {})}
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.log = folder / f"{Path(command[0]).name}.log"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the process, and of its group."""
        assert self._process is not None, "never started"
        return self._process.pid

    def start(self) -> None:
        """Start it; it may take a while until it answers."""
        assert not self.running, f"{self._command[0]} runs already"
        ports.until_closed(self.port)
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.log.parent,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._place.record_group(self.pid, self._stop_signal)

    def signal(self, number: int) -> None:
        """Signal the whole group."""
        end_group(self.pid, number)

    def stop(self, timeout: float = 30.0) -> None:
        """Stop in order, and wait until the port is closed."""
        self._end(self._stop_signal, timeout)

    def kill(self) -> None:
        """``kill -9`` of the whole group, and wait until the port is closed."""
        self._end(signal.SIGKILL, 30.0)

    def remove(self) -> None:
        """Take it away: it keeps nothing that is worth an end in order."""
        self.kill()

    def _end(self, number: int, timeout: float) -> None:
        if self._process is None:
            return
        pid = self.pid
        self.signal(number)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._process.wait(timeout)
        until(lambda: born(pid) is None, f"process {pid} is gone", timeout)
        self._place.forget(f"group-{pid}")
        ports.until_closed(self.port)

    def describe(self) -> str:
        """The end of its log, for an error."""
        text = self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""
        code = self._process.poll() if self._process else None
        return f"{self._command[0]} (exit code {code}): {text}"

    def abandon(self) -> None:
        """Leave it running for the other processes of this run: the run's owner ends it."""
        if self._process is not None:
            self._process.returncode = self._process.poll() or 0


def _plain() -> dict[str, str]:
    """This process's environment without what would change a server's ways."""
    prefixes = ("RABBITMQ_", "PG", "KAFKA_", "ERL_", "LC_", "WORKER_", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)} | {
        "LC_ALL": "C.UTF-8"
    }
