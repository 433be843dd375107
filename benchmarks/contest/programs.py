"""Starts the programs of a side, waits for what they report, and ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.peers.meter import Report
from benchmarks.peers.task import Task

_ROOT = Path(__file__).parents[2]
_PATIENCE = 300.0
_ENDING = 30.0


@contextmanager
def started(command: list[str], folder: Path, task: Task) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, and end it in order afterwards."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WORKER_", "BENCH_"))}
    environment = {**kept, "PYTHONPATH": str(_ROOT), **task.environment()}
    with log_of(folder).open("ab") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(_ENDING)


def report_of(process: subprocess.Popen[bytes], folder: Path, task: Task) -> Report:
    """Wait for a program's report.

    Raises:
        RuntimeError: it ended without one, or did not come to an end; with the last of what it printed.
    """
    deadline = time.monotonic() + _PATIENCE
    while not task.report.exists():
        ended = process.poll() is not None and not task.report.exists()
        if ended or time.monotonic() > deadline:
            state = f"ended with {process.returncode}" if ended else f"not done within {_PATIENCE:g} s"
            shown = log_of(folder).read_text(errors="replace")[-4000:]
            raise RuntimeError(f"{' '.join(map(str, process.args))}: {state}\n{shown}")  # type: ignore[arg-type]
        time.sleep(0.005)
    return msgspec.json.decode(task.report.read_bytes(), type=Report)


def log_of(folder: Path) -> Path:
    """Where the programs of a folder print to."""
    return folder / "programs.log"
