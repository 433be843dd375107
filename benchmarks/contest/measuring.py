"""One measurement of one side: consuming, publishing, latency, or a start and idling."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec

from benchmarks.contest import family
from benchmarks.contest.cores import Cores
from benchmarks.contest.ground import Ground
from benchmarks.contest.programs import report_of, started
from benchmarks.contest.sides import Side
from benchmarks.peers.meter import Report
from benchmarks.peers.task import Task
from benchmarks.result import Figure
from benchmarks.scale import Scale

_PATIENCE = 20.0
_IN_HAND = 100
"""The prefetch of all clients."""


class Idling(msgspec.Struct, frozen=True):
    """Seconds from the start to the first message handled, MiB, and percent of a core while nothing is to do."""

    start: float
    memory: float
    processor: float


class Measuring:
    """Measures sides on a ground, each time in a new folder and on an empty broker.

    Args:
        ground: the broker.
        cores: where the programs that are measured run.
        scale: how much.
        folder: for the measurements' folders.
    """

    def __init__(self, ground: Ground, cores: Cores, scale: Scale, folder: Path) -> None:
        self.ground = ground
        self.cores = cores
        self.scale = scale
        self._folder = folder
        self._count = 0

    def consume(self, side: Side) -> Figure:
        """Take from a queue that was filled before; what was handled must have been acked too.

        Raises:
            RuntimeError: more is left in the queue than a client may have had in hand when it was ended.
        """
        messages = self.scale.messages
        with self.ground.fresh() as url:
            folder = self.folder(side, url)
            self._publish(side, folder, url, 1)
            self.ground.multiply(url, side.queue, messages)
            report = self._consume(side, folder, url, messages)
            left = self._left(side, url)
        if left:
            told = f"{side.name}: {left} of {messages} messages are left in the queue"
            if left > _IN_HAND:
                raise RuntimeError(told)
            print(f"  {told}", file=sys.stderr, flush=True)
        return Figure((messages - 1) / report.seconds, report.cpu / (messages - 1) * 1e6)

    def publish(self, side: Side) -> Figure:
        """Send confirmed messages, a thousand in flight where the client can do that."""
        # a client that waits for every single confirm would take minutes; its rate is the same with fewer messages
        messages = max(self.scale.messages // (20 if side.one_by_one else 1), 100)
        with self.ground.fresh() as url:
            folder = self.folder(side, url)
            self._publish(side, folder, url, 1)  # whatever is declared is there now
            report = self._publish(side, folder, url, messages)
        return Figure(messages / report.seconds, report.cpu / messages * 1e6)

    def latency(self, side: Side) -> list[float]:
        """Milliseconds from sending to handling at a low rate, in processes of their own."""
        probes = self.scale.probes
        with self.ground.fresh() as url:
            folder = self.folder(side, url)
            self._publish(side, folder, url, 1)
            task = self._task(side, folder, url, probes + 1)
            with started(self.cores.pinned(side.consume()), folder, task) as process:
                self._left(side, url)  # it has started
                self._publish(side, folder, url, probes, pace=self.scale.pace)
                delays = report_of(process, folder, task).delays
        return [delay * 1000 for delay in delays]

    def idle(self, side: Side) -> Idling:
        """Start it where one message waits, then leave it alone."""
        with self.ground.fresh() as url:
            folder = self.folder(side, url)
            self._publish(side, folder, url, 1)
            task = self._task(side, folder, url, 1)
            began = time.monotonic()
            with started(self.cores.pinned(side.consume()), folder, task) as process:
                start = report_of(process, folder, task).first - began
                time.sleep(self.scale.idle / 5)
                before = family.used(process.pid)
                time.sleep(self.scale.idle)
                share = (family.used(process.pid) - before) / self.scale.idle * 100
                return Idling(start, family.resident(process.pid), share)

    def _left(self, side: Side, url: str) -> int:
        """Count what is left once the broker has noticed that the consumer is gone."""
        deadline = time.monotonic() + _PATIENCE
        while left := self.ground.left(url, side.queue):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        return left

    def folder(self, side: Side, url: str) -> Path:
        """Make a folder for a side's programs."""
        self._count += 1
        folder = self._folder / f"{self._count}-{side.name.replace(' ', '-')}"
        folder.mkdir()
        side.prepare(folder, url)
        return folder

    def _consume(self, side: Side, folder: Path, url: str, messages: int) -> Report:
        task = self._task(side, folder, url, messages)
        with started(self.cores.pinned(side.consume()), folder, task) as process:
            return report_of(process, folder, task)

    def _publish(self, side: Side, folder: Path, url: str, messages: int, pace: float = 0.0) -> Report:
        task = self._task(side, folder, url, messages, pace)
        # probes are sent from the cores of the load; a publisher that is measured has a core of its own
        command = side.publish() if pace else self.cores.pinned(side.publish())
        with started(command, folder, task) as process:
            return report_of(process, folder, task)

    def _task(self, side: Side, folder: Path, url: str, messages: int, pace: float = 0.0) -> Task:
        self._count += 1
        return Task(url, side.queue, messages, pace, folder / f"report{self._count}.json")
