"""A warm interpreter: commands of the worker as processes of their own that need not import it again.

A start of Python with the worker and its libraries takes the better part of a second of processor time, and the tests
start it hundreds of times. Whatever is about the start itself, or about what is imported, starts one of its own.
"""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
ASK = Path(__file__).parent / "ask.py"
"""For shells."""
POSSIBLE = hasattr(os, "fork") and hasattr(socket, "send_fds") and sys.getfilesystemencoding() == "utf-8"
"""Whether processes can be forked here as they would begin."""


class Interpreter:
    """The process that forks, and what asks it.

    Attributes:
        path: of the socket on which it is asked.
        pid: its number.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="worker-warm-")
        self.path = os.path.join(self._folder.name, "s")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(64)
            number = listener.fileno()
            # it ends when this process does: nothing writes to its stdin any more then
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.warm.server", str(number)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[number],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        self.pid = self._server.pid

    def start(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], streams: Sequence[int]
    ) -> Started:
        """Start ``python -m worker`` with these arguments and descriptors of standard streams."""
        request = {"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.path)
        line = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(connection, [line], list(streams))
        connection.sendall(line[sent:])
        return Started(connection)

    def run(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], input: str, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, as ``subprocess.run``."""
        with _file(input) as stdin, _file() as stdout, _file() as stderr:
            started = self.start(arguments, cwd, env, [one.fileno() for one in (stdin, stdout, stderr)])
            try:
                code = started.wait(timeout)
            except subprocess.TimeoutExpired:
                started.kill()
                raise
            return subprocess.CompletedProcess(list(arguments), code, _read(stdout), _read(stderr))


class Started:
    """A process that was forked; a ``Popen`` as far as the tests need it.

    Attributes:
        pid: its number.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._said = b""
        self._code: int | None = None
        while self._said.count(b"\n") < 1:
            self._hear()
        self.pid = int(self._said.split(b"\n")[0])

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return the exit code."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Signal it, where it still runs."""
        if self.poll() is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:  # it has ended this moment
                pass

    def kill(self) -> None:
        """``kill -9``."""
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        end = None if timeout is None else time.monotonic() + timeout
        while self._said.count(b"\n") < 2:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._connection], [], [], left)[0]:
                return None
            self._hear()
        if self._code is None:
            self._code = int(self._said.split(b"\n")[1])
            self._connection.close()
        return self._code

    def _hear(self) -> None:
        said = self._connection.recv(100)
        if not said:
            raise RuntimeError(f"the warm interpreter has gone; it said {self._said!r}")
        self._said += said


@functools.cache
def interpreter() -> Interpreter | None:
    """The one of this process, started at its first use; None where none can be, and each process begins by itself."""
    return Interpreter() if POSSIBLE else None


def _file(text: str = "") -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115  # its users close it
    file.write(text.encode())
    file.seek(0)
    return file


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
