"""A stopwatch for elapsed and for processor time."""

from __future__ import annotations

import time

from benchmarks.result import Figure


class Stopwatch:
    """Runs from the moment at which it is made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._used = time.process_time()

    def stop(self, messages: int) -> Figure:
        """Make a figure of what was done since: messages a second, processor microseconds a message."""
        used = time.process_time() - self._used
        elapsed = time.perf_counter() - self._started
        return Figure(messages / elapsed, used / messages * 1e6)
