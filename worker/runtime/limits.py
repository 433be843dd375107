"""Limits: why a worker stops by itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from worker.errors import ConfigurationError
from worker.runtime.options import ConsumeOptions


class Limits:
    """Counts what a worker does against the limits it was given.

    Args:
        options: the limits.
        now: monotonic seconds.

    Attributes:
        counts: whether the number of messages is limited.
        given: whether messages or failures are: what must be looked at with each message.
    """

    def __init__(self, options: ConsumeOptions, now: Callable[[], float]) -> None:
        self._options = options
        self._now = now
        self._end = None if options.time_limit is None else now() + options.time_limit
        self.counts = options.limit is not None
        self.given = self.counts or options.failure_limit is not None
        self.finished = 0
        self.failures = 0

    def check_start(self) -> None:
        """Refuse a limit that is passed before the first message: a fresh process would pass it again.

        Raises:
            ConfigurationError: with the limit and what the process takes.
        """
        limit, taken = self._options.memory_limit, resident()
        if limit is not None and taken >= limit:
            raise ConfigurationError(
                f"--memory-limit {_mebibytes(limit)}: this process takes {_mebibytes(taken)} before its first message;"
                " expected more than that"
            )

    def room(self, held: int) -> int:
        """How many more messages may be taken while ``held`` are in hand."""
        limit = self._options.limit
        return 1 << 30 if limit is None else limit - self.finished - held

    def may_start(self, running: int) -> bool:
        """Whether one more may start while ``running`` are under way."""
        limit = self._options.limit
        return limit is None or self.finished + running < limit

    def failed_enough(self) -> bool:
        """Whether the failure limit is reached."""
        limit = self._options.failure_limit
        return limit is not None and self.failures >= limit

    def reached(self) -> str | None:
        """Name the limit that is reached, None while there is none."""
        options = self._options
        if options.limit is not None and self.finished >= options.limit:
            return f"limit of {options.limit} messages"
        if options.failure_limit is not None and self.failures >= options.failure_limit:
            return f"failure limit of {options.failure_limit}"
        if self._end is not None and self._now() >= self._end:
            return f"time limit of {options.time_limit:g} s"
        # not before the first message: what a start takes is asked once
        if options.memory_limit is not None and self.finished and resident() >= options.memory_limit:
            return f"memory limit of {options.memory_limit} bytes"
        return None


def _mebibytes(count: int) -> str:
    return f"{count / 1024**2:.1f}M"


def resident() -> int:
    """Resident memory of this process in bytes; the peak where the system tells no more."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")
