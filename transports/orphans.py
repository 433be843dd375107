"""Orphans: claims whose process is gone; on the same machine that can be seen before their lease is over.

A claim's mark tells who made it: the space of process ids that it is in, and its id there. Of a process in another
space, another container's or machine's, nothing can be seen: its claims end with their lease.
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
        place: of this process; 0 where it has no name, then nobody looks whether it is gone.
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
    """Finds the claims of processes that are gone, now and then.

    Args:
        place: of this process.
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
        """Those of these marks whose process is gone."""
        pids: dict[int, list[int]] = {}
        for mark in marks:
            if mark >> _COUNT + _PID == self._place:
                pids.setdefault(mark >> _COUNT & (1 << _PID) - 1, []).append(mark)
        return [mark for pid, its in pids.items() if self._gone(pid) for mark in its]


def _place() -> int:
    """A number for the machine since it started and the space of process ids; 0 where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return 0
    return zlib.crc32(f"{boot} {space}".encode()) & (1 << _PLACE) - 1 or 1


def _is_gone(pid: int) -> bool:
    """Whether a process has ended, also while nobody has asked for its exit code."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] in {"Z", "X"}
