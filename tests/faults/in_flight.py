"""What was in flight when something broke: no more than that may be handled again."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.e2e.processes import Process
from tests.e2e.waiting import until


class InFlight:
    """Counts at each fault what is in flight: handed out by the broker to a worker, and not seen settled.

    Such a command waits in the worker for a slot, runs, or is done and its settlement has not arrived. The workers
    stand still from before the count until something is broken, so that it holds. Of a worker that is killed only
    what handlers had begun counts: it begins nothing more.

    Args:
        steady: seconds for which a count must stay the same, while no worker moves, until it is that of now: what
            was sent last is still on its way.

    Attributes:
        total: of all faults, added up.
    """

    def __init__(self, steady: float) -> None:
        self.total = 0
        self._for = steady

    @contextmanager
    def counted(
        self,
        processes: Sequence[Process],
        count: Callable[[], int],
        frozen: Process | None = None,
        lease: float = math.inf,
    ) -> Iterator[None]:
        """Break something in the block; ``count`` says what is in flight now. ``frozen`` is left standing still.

        What stood still for longer than its ``lease`` was handed out once more meanwhile, and counts twice.
        """
        begun = time.monotonic()
        with _still(processes, frozen):
            found = self._steady(count)
            yield
        self.total += found * (2 if time.monotonic() - begun > lease else 1)

    def _steady(self, count: Callable[[], int]) -> int:
        since, last = time.monotonic(), count()

        def steady() -> bool:
            nonlocal since, last
            found = count()
            if found != last:
                since, last = time.monotonic(), found
            return time.monotonic() - since > self._for

        until(steady, "the broker counts nothing new", 60, 0.25)
        return last


@contextmanager
def _still(processes: Sequence[Process], frozen: Process | None) -> Iterator[None]:
    for process in processes:
        process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            if process.running and process is not frozen:
                process.signal(signal.SIGCONT)
