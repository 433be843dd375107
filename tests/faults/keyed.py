"""Keyed commands flow through three workers, while a test breaks something; at the end everything is counted.

Nothing may be lost, what is noted first of each key must be in order, and each stored effect must be there once.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import NamedTuple, Self

from tests.deep import size
from tests.e2e.processes import Process, environment
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.in_flight import InFlight
from tests.faults.keyed_app import NOTES, STARTS
from tests.faults.keyed_load import KEEPS
from transports.registry import create
from worker.messaging.abilities import Countable

COMMANDS = size(1000, 20_000)
"""How many flow in each test."""
KEYS = size(100, 200)
WORKERS = 3
SLOTS = 16
BACK = 60.0
"""Seconds after a fault within which every worker consumes again: sessions must lapse, partitions move."""
DRAIN = 300.0
"""Seconds within which everything is handled, on a machine that does much else."""

TOML = """\
app = "tests.faults.keyed_app:app"

[database]
url = "sqlite:///var/worker.db"

[transports.broker]
url = "{url}"
{options}

[routing]
"*" = "broker"
"""


QUEUES = ("flow-take", "flow-keep")


class Note(NamedTuple):
    """A line that a handler wrote."""

    kind: str
    key: str
    place: int
    pid: int
    at: float


class Keyed:
    """The processes, the load, and the sums.

    Args:
        url: of the broker, with a place of this test's own on it.
        options: of the transport, as TOML.
        work: seconds that a handler takes; ``long`` that a few of them take.
        commands: how many flow.
    """

    def __init__(
        self,
        project: Project,
        url: str,
        *,
        options: str,
        work: float = 0.002,
        long: float = 0.2,
        commands: int = COMMANDS,
    ) -> None:
        self.project = project
        (project.folder / "worker.toml").write_text(TOML.format(url=url, options=options))
        self.places = commands // KEYS
        self._url = url
        self._in_flight = InFlight(steady=0.5)
        self.workers: list[Process] = []
        self.notes: list[Note] = []
        self._read = 0
        self._arguments = ("broker", "-c", str(SLOTS))
        self._environment = {"FLOW_WORK": str(work), "FLOW_LONG": str(long)}
        self._load: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start everything, and wait until commands flow."""
        self.project.ok("setup", timeout=60)
        (self.project.folder / NOTES).touch()
        self._create()
        self.workers = self.project.consume_all(WORKERS, *self._arguments, extra=self._environment)
        with (self.project.folder / "load.log").open("wb") as log:
            self._load = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.keyed_load", str(self.places * KEYS), str(KEYS)],
                cwd=self.project.folder,
                env=environment(self._environment),
                stdout=log,
                stderr=log,
            )
        self.until_noted(self.places * KEYS // 20, 90)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._load is not None:
            self._load.kill()
            self._load.wait()
        if error is not None:
            for process in self.project.processes:
                print(f"--- {process.log_file.name} {process.pid}\n{process.log[-3000:]}")

    # --- what faults need ---------------------------------------------------------------------------------------

    def consume(self) -> Process:
        """One more worker."""
        return self.project.consume(*self._arguments, extra=self._environment)

    def replace(self, worker: Process) -> None:
        """Kill a worker with -9, and start another one in its place."""
        with self._in_flight.counted(self.workers, self._unsettled):
            worker.kill()
        self.workers[self.workers.index(worker)] = self.consume()

    def look(self) -> list[Note]:
        """What was noted since the last look."""
        with (self.project.folder / NOTES).open("rb") as file:
            file.seek(self._read)
            new = file.read()
        new = new[: new.rfind(b"\n") + 1]
        self._read += len(new)
        fresh = [_note(line) for line in new.decode().splitlines()]
        self.notes += fresh
        return fresh

    def noted(self) -> int:
        """How many notes there are."""
        self.look()
        return len(self.notes)

    def until_noted(self, number: int, timeout: float = DRAIN) -> None:
        """Wait until there are so many notes."""
        until(lambda: self.noted() >= number, f"{number} are noted", timeout, 0.1)

    def until_share(self, share: float) -> None:
        """Wait until so much of the work is done."""
        self.until_noted(int(self.places * KEYS * share))

    def outlives(self, breaks: Callable[[], object], mends: Callable[[], object]) -> None:
        """Break something amid the commands, mend it, and assert that all comes back and nothing is lost."""
        self.until_share(0.25)
        breaks()
        mends()
        self.until_back()
        self.finish()

    def until_back(self, pids: Callable[[], Iterable[int]] | None = None) -> None:
        """Wait until every worker consumes again, or all is done."""
        wanted = pids or (lambda: [worker.pid for worker in self.workers])
        self.look()
        start = len(self.notes)

        def back() -> bool:
            self.look()
            seen = Counter(note.pid for note in self.notes[start:])
            return all(seen[pid] > 2 * SLOTS for pid in wanted()) or self._all_there()

        until(back, "every worker consumes again", BACK, 0.1)

    def rate(self, start: float, end: float, kind: str | None = None) -> float:
        """Notes a second between two times, duplicates not counted."""
        self.look()
        seen: set[tuple[str, int]] = set()
        fresh = 0
        for note in self.notes:
            if (note.key, note.place) not in seen and start <= note.at < end and kind in {None, note.kind}:
                fresh += 1
            seen.add((note.key, note.place))
        return fresh / (end - start)

    def finish(self, *, bounded: bool = False) -> str:
        """Drain, count, and stop everything; say what was counted.

        Args:
            bounded: nothing but workers was broken: noted again may be what was in flight then, no more.
        """
        assert self._load is not None
        until(
            lambda: self._load is not None and self._load.poll() is not None, "all are accepted", DRAIN, 0.2
        )
        log = (self.project.folder / "load.log").read_text()
        assert self._load.returncode == 0, log[-3000:]
        until(lambda: bool(self.look() or True) and self._all_there(), "everything is noted", DRAIN, 0.3)
        for worker in self.workers:
            worker.stop(60)
        self.look()
        self._check_order()
        stored = self._rows("SELECT key, place FROM kept")
        expected = {
            (f"key-{number}", place) for number in range(0, KEYS, KEEPS) for place in range(self.places)
        }
        twice = [one for one, count in Counter(stored).items() if count > 1]
        assert not twice, f"stored twice: {len(twice)}, {twice[:20]}"
        assert set(stored) == expected, f"stored: {len(stored)} of {len(expected)}"
        assert self._rows("SELECT count(*) FROM worker_failures") == [(0,)]
        unique = {(note.key, note.place) for note in self.notes}
        again, allowed = len(self.notes) - len(unique), self._in_flight.total
        if bounded:
            assert again <= allowed, f"{again} noted again, {allowed} were in flight"
        said = (
            f"{len(unique)} handled, {len(stored)} stored once, 0 lost, order kept for {KEYS} keys, "
            f"{again} noted again ({allowed} were in flight), {log.strip().splitlines()[-1]}"
        )
        print(said)
        return said

    # --- inside ---------------------------------------------------------------------------------------------------

    def _unsettled(self) -> int:
        """Commands that a handler has begun and that are not done for the broker, be it committed or only noted there."""
        lines = (self.project.folder / STARTS).read_text().splitlines()
        begun = {tuple(line.split()[1:3]) for line in lines}

        async def settled() -> int:
            transport = create("broker", self._url, {}, base=self.project.folder)
            await transport.connect()
            try:
                assert isinstance(transport, Countable)
                depths = (await transport.depth(QUEUES)).values()
            finally:
                await transport.close()
            ends = sum(position.end for depth in depths for position in depth.positions)
            return ends - sum(depth.ready or 0 for depth in depths)

        return len(begun) - asyncio.run(settled())

    def _all_there(self) -> bool:
        return len({(note.key, note.place) for note in self.notes}) == self.places * KEYS

    def _check_order(self) -> None:
        seen: defaultdict[str, list[int]] = defaultdict(list)
        known: set[tuple[str, int]] = set()
        for note in self.notes:
            if (note.key, note.place) not in known:
                known.add((note.key, note.place))
                seen[note.key].append(note.place)
        wrong = [key for key, places in seen.items() if places != list(range(self.places))]
        assert not wrong, f"out of order: {wrong[:5]}, {[seen[key] for key in wrong[:2]]}"

    def _create(self) -> None:
        import sqlite3

        connection = sqlite3.connect(self.project.database, timeout=30)
        connection.execute("CREATE TABLE kept (key TEXT, place INTEGER)")
        connection.commit()
        connection.close()

    def _rows(self, statement: str) -> list[tuple[object, ...]]:
        return self.project.rows(statement)


def _note(line: str) -> Note:
    kind, key, place, pid, at = line.split()
    return Note(kind, key, int(place), int(pid), float(at))
