"""What was in flight when something broke: no more than that may be handled again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from tests.e2e.processes import Process
from tests.e2e.waiting import until


class Queues(Protocol):
    """What a broker says of the queues that commands flow over.

    Attributes:
        steady: seconds for which a count must stay the same, while no worker moves, until it is that of now.
    """

    steady: float

    def waiting(self) -> int:
        """Messages on all queues, in hand or not."""
        ...

    def held(self) -> int:
        """Commands to note that are handed out and not settled, while no worker moves."""
        ...

    def unsettled(self, begun: Collection[int]) -> int:
        """How many of those that were begun are not settled, while no worker moves."""
        ...


class InFlight:
    """Counts at each fault what is in flight: handed out by the broker to a worker, and not seen settled.

    Such a command waits in the worker for a slot, runs, or is done and its settlement has not arrived. The workers
    stand still from before the count until something is broken, so that it holds.

    Attributes:
        total: of all faults, added up.
    """

    def __init__(self, queues: Queues) -> None:
        self.total = 0
        self._queues = queues

    @contextmanager
    def held(self, workers: Sequence[Process]) -> Iterator[None]:
        """Break something in the block that the workers outlive.

        They may do all that they hold before they hear of it, and the broker hands all of it out again.
        """
        with _still(workers):
            self.total += self._steady(self._queues.held)
            yield

    @contextmanager
    def begun(self, workers: Sequence[Process], begun: Callable[[], Collection[int]]) -> Iterator[None]:
        """Kill a worker in the block: what counts is only what handlers had begun; it begins nothing more."""
        with _still(workers):
            numbers = begun()
            self.total += self._steady(lambda: self._queues.unsettled(numbers))
            yield

    def _steady(self, count: Callable[[], int]) -> int:
        """What is counted once it stays the same: what was sent last is still on its way."""
        since, last = time.monotonic(), count()

        def steady() -> bool:
            nonlocal since, last
            found = count()
            if found != last:
                since, last = time.monotonic(), found
            return time.monotonic() - since > self._queues.steady

        until(steady, "the broker counts nothing new", 30, 0.1)
        return last


@contextmanager
def _still(workers: Sequence[Process]) -> Iterator[None]:
    for worker in workers:
        worker.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            if worker.running:
                worker.signal(signal.SIGCONT)
