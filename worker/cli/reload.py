"""``--reload``: run the command in a child process, and start it anew when a source file changes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import click

from worker.runtime.process.parent import parenthood

_POLL = 500
"""Milliseconds between looks at whether the child has ended by itself."""

_MARGIN = 2.0
"""Seconds beyond the graceful timeout before a child is killed."""

_FORWARDED = (signal.SIGTERM, signal.SIGINT)


class Reloader:
    """Keeps one child running, and replaces it when asked to.

    The child has a session of its own: a Ctrl-C comes to this process only, which passes it on once.

    Args:
        command: what to run.
        graceful_timeout: seconds that the child gets to finish.
    """

    def __init__(self, command: Sequence[str], graceful_timeout: float) -> None:
        self.stop = threading.Event()
        self._command = list(command)
        self._patience = graceful_timeout + _MARGIN
        self._told = False
        self._child = self._start()

    def forward(self, number: int, _frame: object) -> None:
        """Pass a signal on to the child; nothing is started any more."""
        self.stop.set()
        if self._child.poll() is None:
            self._child.send_signal(number)

    def ended(self) -> bool:
        """Tell whether the child is done. One that failed is started again with the next change."""
        code = self._child.poll()
        if code and not self._told:
            self._told = True
            click.echo(f"ended with exit code {code}; waiting for a change", err=True)
        return code == 0

    def restart(self, names: Sequence[str]) -> None:
        """End the child and start another."""
        click.echo(f"changed: {', '.join(names)}; restarting", err=True)
        if self._child.poll() is None:
            self._child.terminate()
        self.wait()
        if not self.stop.is_set():
            self._told = False
            self._child = self._start()

    def wait(self) -> int:
        """Wait for a child that was asked to end, kill it when it takes longer than it may; return its code."""
        try:
            return self._child.wait(self._patience)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **parenthood()}
        return subprocess.Popen(  # noqa: S603 - our own command line
            self._command, env=environment, start_new_session=True
        )


def run_reloading(command: Sequence[str], folder: Path, graceful_timeout: float) -> int:
    """Run a command until a signal or until it is done; restart it when a file below ``folder`` changes."""
    from watchfiles import PythonFilter, watch

    reloader = Reloader(command, graceful_timeout)
    kept = {number: signal.signal(number, reloader.forward) for number in _FORWARDED}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # kept back until now
    try:
        for changes in watch(
            folder,
            watch_filter=PythonFilter(extra_extensions=[".toml"]),
            stop_event=reloader.stop,
            rust_timeout=_POLL,
            yield_on_timeout=True,
        ):
            if reloader.ended() or reloader.stop.is_set():
                break
            if changes:
                reloader.restart(sorted({Path(path).name for _, path in changes}))
        return max(0, reloader.wait())
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
