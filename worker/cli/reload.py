"""``--reload``: run the command in a child process, and start it anew when a source file changes."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import click

_POLL = 500
"""Milliseconds between looks at whether the child has ended by itself."""


def run_reloading(command: Sequence[str], folder: Path, graceful_timeout: float) -> int:
    """Run a command until a signal or until it is done; restart it when a file below ``folder`` changes.

    A child that failed is started again with the next change. Ctrl-C reaches the child from the terminal by
    itself; TERM is passed on.
    """
    from watchfiles import PythonFilter, watch

    only = PythonFilter(extra_extensions=[".toml"])

    child = _start(command)
    told = False
    kept = signal.signal(signal.SIGTERM, _interrupt)
    try:
        for changes in watch(
            folder, watch_filter=only, rust_timeout=_POLL, yield_on_timeout=True, raise_interrupt=True
        ):
            code = child.poll()
            if not changes:
                if code == 0:
                    return 0
                if code is not None and not told:
                    told = True
                    click.echo(f"ended with exit code {code}; waiting for a change", err=True)
                continue
            click.echo(
                f"changed: {', '.join(sorted(Path(path).name for _, path in changes))}; restarting", err=True
            )
            _end(child, graceful_timeout)
            child = _start(command)
            told = False
    except KeyboardInterrupt:
        pass
    except _Terminated:
        child.terminate()
    finally:
        signal.signal(signal.SIGTERM, kept)
        _await(child, graceful_timeout)
    return child.returncode or 0


class _Terminated(Exception):
    """TERM was received."""


def _interrupt(_number: int, _frame: object) -> None:
    raise _Terminated


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(list(command))  # noqa: S603 - our own command line


def _end(child: subprocess.Popen[bytes], graceful_timeout: float) -> None:
    if child.poll() is None:
        child.terminate()
    _await(child, graceful_timeout)


def _await(child: subprocess.Popen[bytes], graceful_timeout: float) -> None:
    """Wait for a child that was asked to stop; kill it when it takes longer than it may."""
    try:
        child.wait(graceful_timeout + 5.0)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        child.kill()
        child.wait()
