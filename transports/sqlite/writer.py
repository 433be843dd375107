"""The writer: one thread, one connection, and one transaction for all that was asked in a turn of the loop."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from transports.sqlite import connection
from transports.sqlite.faults import OutcomeUnknown
from transports.sqlite.job import Job
from transports.sqlite.settings import Settings
from transports.sqlite.timekeeping import Timekeeper
from transports.sqlite.transactions import Transactions
from worker.errors import TransportUnavailable
from worker.messaging.steady import SteadyClock

_SHORTEST_POLL, _LONGEST_POLL = 0.005, 0.05
"""Seconds between two looks at what other processes did, while a consumer waits for messages."""
_PATIENCE = 10.0
"""Seconds beyond ``busy_timeout`` after which the thread counts as stuck (a disk that does not answer)."""

_TICK = 0.01
"""Seconds between two looks at what is outstanding."""

_LOOK = 1.0
"""Seconds between two looks at whether the path still leads to the file that is open."""

log = structlog.stdlib.get_logger("worker.sqlite")


class Writer:
    """Runs jobs in a thread of its own.

    Args:
        clock: asked once for each transaction.
        woken: called on the loop with the queues in which something changed, None for "perhaps in all".

    Attributes:
        queues: those that this process has set up, to be set up again in a file that takes the place of this one.
    """

    def __init__(
        self, settings: Settings, clock: SteadyClock, woken: Callable[[set[str] | None], None]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._woken = woken
        self._loop = asyncio.get_running_loop()
        self._inbox: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._gathered: list[Job] = []
        self._outstanding: dict[Job, float] = {}
        self._ticking: asyncio.TimerHandle | None = None
        self._finished = threading.Event()
        self._limit = settings.busy_timeout + _PATIENCE
        self._watching = False
        self._parked = False
        self._version = 0
        self._thread = threading.Thread(target=self._run, name=f"sqlite {settings.path.name}", daemon=True)
        self._closed = False
        self.queues: set[str] = set()
        self._file: tuple[int, int] | None = None
        self._next_look = 0.0
        self._sqlite: sqlite3.Connection
        self._transactions: Transactions
        self._time: Timekeeper

    async def open(self) -> None:
        """Open the file and start the thread.

        Raises:
            TransportUnavailable: the file cannot be used.
        """
        self._use(await asyncio.to_thread(connection.open_writer, self._settings))
        self._thread.start()

    async def run(self, make: Callable[[asyncio.Future[Any]], Job]) -> Any:
        """Do a job in the next transaction, and return its result after the commit.

        Raises:
            TransportUnavailable: nothing was done.
            OutcomeUnknown: it is not known whether it was done.
        """
        return await self.submit(make).future

    def submit(self, make: Callable[[asyncio.Future[Any]], Job]) -> Job:
        """Ask for a job; its ``future`` says how it went."""
        future: asyncio.Future[Any] = self._loop.create_future()
        job = make(future)
        if self._closed:
            future.set_exception(TransportUnavailable(f"sqlite file {self._settings.path}: it is closed"))
            return job
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered.append(job)
        return job

    def watch(self, watching: bool) -> None:
        """Say whether any consumer waits for messages: only then are other processes' writes looked for."""
        self._watching = watching
        if watching and self._parked:  # in this order: the thread parks first and asks then
            self._inbox.put([])

    async def close(self) -> None:
        """Finish what was asked, then let go of the file."""
        if self._closed:
            return
        self._hand_over()
        self._closed = True
        self._inbox.put(None)
        await asyncio.to_thread(self._thread.join, self._limit)
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    # --- on the loop ---------------------------------------------------------------------------------------------

    def _hand_over(self) -> None:
        if not self._gathered:
            return
        batch, self._gathered = self._gathered, []
        now = self._loop.time()
        for job in batch:
            self._outstanding[job] = now
        if self._ticking is None:
            self._ticking = self._loop.call_later(_TICK, self._tick)
        self._inbox.put(batch)

    def _deliver(self, batch: Sequence[Job]) -> None:
        woken: set[str] = set()
        for job in batch:
            self._outstanding.pop(job, None)
            woken.update(job.woken)
            job.complete()
        if woken:
            self._woken(woken)

    def _tick(self) -> None:
        """While something is outstanding: make room for the thread, and give up on what it will not answer."""
        oldest = next(iter(self._outstanding.values()), None)
        if oldest is None:
            self._ticking = None
            return
        self._ticking = self._loop.call_later(_TICK, self._tick)
        age = self._loop.time() - oldest
        if age > self._limit:
            self._give_up()
        elif age > _TICK:
            # A loop that never sleeps takes the interpreter's lock back again and again before the thread has woken up.
            # So the loop lets go of the lock on purpose until the thread is done, for a tenth of the time at most.
            self._finished.clear()
            self._finished.wait(_TICK / 10)

    def _give_up(self) -> None:
        """Fail what waits too long: every wait is bounded, also that for a disk which does not answer."""
        now = self._loop.time()
        for job, since in list(self._outstanding.items()):
            if now - since > self._limit:
                del self._outstanding[job]
                if not job.future.done():
                    job.future.set_exception(self._unknown("the disk does not answer"))

    def _unknown(self, cause: str) -> OutcomeUnknown:
        return OutcomeUnknown(f"sqlite file {self._settings.path}: {cause}")

    # --- in the thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._sqlite.close()

    def _work(self) -> None:
        pause = _SHORTEST_POLL
        idle = False
        while True:
            self._parked = idle
            try:
                batch = self._inbox.get(timeout=None if idle and not self._watching else pause)
            except queue.Empty:
                idle = not self._watching
                pause = _SHORTEST_POLL if self._look_abroad() else min(pause * 1.5, _LONGEST_POLL)
                continue
            self._parked = idle = False
            jobs, stop = self._drain(batch)
            if jobs:
                pause = _SHORTEST_POLL
                self._keep_to_the_path()
                self._transactions.run(jobs, self._time.now())
                self._report(self._deliver, jobs)
                self._finished.set()
            if self._watching:
                self._look_abroad()
            if stop:
                return

    def _drain(self, batch: list[Job] | None) -> tuple[list[Job], bool]:
        """Return everything that was handed over by now, and whether the writer is to stop after it."""
        jobs = list(batch or ())
        stop = batch is None
        while not self._inbox.empty():
            more = self._inbox.get()
            stop = stop or more is None
            jobs.extend(more or ())
        return jobs, stop

    def _use(self, sqlite: sqlite3.Connection) -> None:
        self._sqlite = sqlite
        self._file = connection.identity(self._settings)
        self._transactions = Transactions(self._settings, sqlite)
        self._time = Timekeeper(self._settings, sqlite, self._clock)

    def _keep_to_the_path(self) -> None:
        """Look, once a second, whether the path still leads to the open file; where it does not, open the path anew.

        A file that was removed or replaced still takes all that is written to it, but no process that opens the path now
        would ever see that.
        """
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK
        if connection.identity(self._settings) == self._file:
            self._transactions.refuse(None)
            return
        log.error("the file was removed or replaced; opening it anew", file=str(self._settings.path))
        try:
            sqlite = connection.open_writer(self._settings)
            connection.set_up(self._settings, sqlite, sorted(self.queues))
        except TransportUnavailable as error:
            self._next_look = now
            self._transactions.refuse(error)
            return
        self._sqlite.close()
        self._use(sqlite)

    def _look_abroad(self) -> bool:
        """Whether other processes committed something since the last look; our own commits do not count."""
        self._keep_to_the_path()
        try:
            version = self._sqlite.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return False
        if version == self._version:
            return False
        self._version = version
        self._report(self._woken, None)
        return True

    def _report(self, callback: Callable[[Any], None], argument: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, argument)
        except RuntimeError:
            pass  # the loop is closed: no caller waits any more
