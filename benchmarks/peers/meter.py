"""Measures inside the program that is measured: time and its own processor time between two messages."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import msgspec

from benchmarks.peers.task import Task


class Report(msgspec.Struct, frozen=True):
    """What was measured.

    Attributes:
        first: when the first message was handled or sent, on the machine's monotonic clock.
        seconds: from then to the last one.
        cpu: processor seconds of this process meanwhile, all its threads.
        delays: seconds from sending to handling, of those that were asked to tell.
    """

    first: float
    seconds: float
    cpu: float
    delays: list[float] = []

    def write(self, path: Path) -> None:
        """Write it beside and rename it: a reader that finds the file finds it whole."""
        draft = path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(self))
        draft.rename(path)


class Meter:
    """Counts messages, from several threads too, and reports with the last one that is expected."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._numbers = itertools.count(1)
        self._first = self._used = 0.0
        self._delays: list[float] = []

    def handled(self, sent: float) -> None:
        """Count one more as handled; ``sent`` is when it was sent, or 0."""
        if sent:
            self._delays.append(time.monotonic() - sent)
        number = next(self._numbers)
        if number == 1:
            self._first, self._used = time.monotonic(), time.process_time()
        if number == self._task.messages:
            seconds = time.monotonic() - self._first
            used = time.process_time() - self._used
            Report(self._first, seconds, used, self._delays).write(self._task.report)
