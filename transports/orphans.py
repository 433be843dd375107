"""Orphans: claims whose process is gone; on the same machine that can be seen before their lease is over.

A claim's mark names the process that made it: the namespace of process ids in which it runs, and its id there. Whether a
process in another namespace (another container or machine) is gone cannot be seen: its claims end with their lease.
"""

from __future__ import annotations

import itertools
import os
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

EVERY = 1.0
"""Seconds between looks."""

_PLACE, _PID, _COUNT = 24, 22, 16
"""Bits of a mark."""


class Marks:
    """Makes the marks of this process's claims, no two alike.

    Args:
        place: number of this process's namespace; 0 where that is not known: then no other process can see that this
            one is gone, and its claims end with their lease.
        pid: its id.
    """

    def __init__(self, place: int | None = None, pid: int | None = None) -> None:
        self.place = _place() if place is None else place
        self._pid = os.getpid() if pid is None else pid
        self._numbers = itertools.count(int.from_bytes(os.urandom(2), "big"))

    def next(self) -> int:
        """Make one."""
        number = next(self._numbers) & (1 << _COUNT) - 1
        return (self.place << _PID | self._pid & (1 << _PID) - 1) << _COUNT | number


class Orphans:
    """Finds, now and then, the claims of processes that are gone.

    Args:
        place: number of this process's namespace.
        gone: whether there is no process of an id.
        now: monotonic seconds.
    """

    def __init__(
        self,
        place: int,
        gone: Callable[[int], bool] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = place
        self._gone = gone or _is_gone
        self._now = now
        self._next: dict[int, float] = {}

    def due(self, queue: int) -> bool:
        """Whether it is time to look at a queue; then not again for a while."""
        now = self._now()
        if not self._place or now < self._next.get(queue, 0.0):
            return False
        self._next[queue] = now + EVERY
        return True

    def among(self, marks: Iterable[int]) -> list[int]:
        """Return those of ``marks`` whose process is gone."""
        pids: dict[int, list[int]] = {}
        for mark in marks:
            if mark >> _COUNT + _PID == self._place:
                pids.setdefault(mark >> _COUNT & (1 << _PID) - 1, []).append(mark)
        return [mark for pid, its in pids.items() if self._gone(pid) for mark in its]


def _place() -> int:
    """A number for this start of the machine and the namespace of process ids; 0 where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return 0
    return zlib.crc32(f"{boot} {space}".encode()) & (1 << _PLACE) - 1 or 1


def _is_gone(pid: int) -> bool:
    """Whether a process has ended, also while its parent has not yet collected its exit code."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] in {"Z", "X"}
