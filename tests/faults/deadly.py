"""Deadly work: one message among many that ends its process each time, and what became of all of them."""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.deep import size
from tests.e2e.processes import Process
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.deadly_app import BEGUN, ENDED
from tests.faults.onlooker import Onlooker

PIECE = 500
"""Commands that are sent by one process: where a key's are sent one after the other that takes a while."""
PROCESSES = size(2, 3)
SLOTS = 2
DEATHS = 6
"""Most deaths that it may take until the guilty one is known."""
GAP = 5.0
"""Seconds for which nothing else may be done, at most, once two have died."""

TOML = """\
app = "tests.faults.deadly_app:app"

[database]
url = "{database}"

[transports.{name}]
url = "{url}"
{options}

[routing]
"*" = "{name}"
"""


class Deadly:
    """A project whose commands flow over one transport.

    Args:
        project: its folder.
        transport: name, URL and options of it.
        database: URL of the state; a file by default.
    """

    def __init__(
        self, project: Project, transport: tuple[str, str, str], database: str | None = None
    ) -> None:
        self.project = project
        self._name, url, options = transport
        state = database or f"sqlite:///{project.folder}/var/worker.db"
        text = TOML.format(name=self._name, url=url, options=options, database=state)
        (project.folder / "worker.toml").write_text(text)
        self._onlooker = None if database is None else Onlooker(database)
        project.ok("setup", timeout=240)
        self.rows("CREATE TABLE effects (number INTEGER, at DOUBLE PRECISION)")

    def send(self, count: int, deadly: int | None = None) -> None:
        """Send so many commands, every second one with a key, and the number of the one that kills."""
        lines: list[tuple[str, dict[str, Any]]] = []
        for number in range(count):
            facts: dict[str, Any] = {"number": number, "deadly": number == deadly}
            if number % 2:
                lines.append(("Book", facts | {"account": f"a{number % 10}"}))
            else:
                lines.append(("Work", facts))
        for start in range(0, count, PIECE):
            piece = lines[start : start + PIECE]
            assert len(self.project.send_many(*piece)) == len(piece)

    def consume(self, *arguments: str, lasts: float = 0.08) -> Process:
        """Start a worker, or a supervisor of several; each message takes so many seconds."""
        return self.project.start("consume", "-c", str(SLOTS), *arguments, extra={"LASTS": str(lasts)})

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement in the state database."""
        if self._onlooker is not None:
            return self._onlooker.rows(statement)
        path = self.project.database
        path.parent.mkdir(exist_ok=True)
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def close(self) -> None:
        """Look no more."""
        if self._onlooker is not None:
            self._onlooker.close()

    def done(self) -> int:
        """How many are done."""
        return int(self.rows("SELECT count(*) FROM effects")[0][0])

    def failed(self) -> list[dict[str, Any]]:
        """What is in the failure store."""
        listed = self.project.json("failed", "list")
        return [self.project.json("failed", "show", one["id"]) for one in listed["items"]]

    def until_done(
        self, count: int, failures: int, timeout: float, meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        """Wait until all are done or failed; ``meanwhile`` is called now and then."""

        def over() -> bool:
            meanwhile()
            stored = self.rows("SELECT count(*) FROM worker_failures")[0][0]
            return self.done() >= count and stored >= failures

        until(over, f"{count} are done and {failures} failed", timeout, 0.2)

    def begun(self) -> list[tuple[int, int, float]]:
        """Number, process and time of each beginning, in order."""
        lines = (self.project.folder / BEGUN).read_text().split("\n")[:-1]
        return [(int(a), int(b), float(c)) for a, b, c in (line.split() for line in lines)]

    def check(self, count: int, deadly: int, *, timed: bool) -> dict[str, Any]:
        """Assert that the guilty one failed, after few deaths, and all others are done once, in order; its document.

        ``timed``: and that something was done at any time, which a loaded machine cannot promise.
        """
        deaths = [at for number, _, at in self.begun() if number == deadly]
        assert 2 < len(deaths) <= DEATHS, deaths
        stored = self.rows("SELECT number, at FROM effects ORDER BY at")
        numbers = Counter(number for number, _ in stored)
        assert set(numbers) == set(range(count)) - {deadly}
        assert numbers.total() == count - 1, f"twice: {[n for n, times in numbers.items() if times > 1]}"
        for account in range(1, 10, 2):
            lane = [number for number, _ in stored if number % 10 == account]
            assert lane == sorted(lane), f"out of order: {lane}"
        times = [at for _, at in stored if at > deaths[1]]
        gap = max((b - a for a, b in itertools.pairwise([deaths[1], *times])), default=0.0)
        print(
            f"{len(deaths)} deaths in {deaths[-1] - deaths[0]:.1f} s, {len(times)} done after two, gap {gap:.1f} s"
        )
        assert gap <= GAP or not timed, f"nothing was done for {gap:.1f} s"
        (failure,) = self.failed()
        assert {one["error"]["type"] for one in failure["history"]} == {"PoisonMessage"}
        return failure


class Fleet:
    """Several workers; one that a message ends is started again at once, as an operator's own means do it.

    A supervisor's processes begin by themselves, which takes most of a second of processor time each.
    """

    def __init__(self, deadly: Deadly, lasts: float) -> None:
        self._deadly = deadly
        self._lasts = lasts
        self._workers = [deadly.consume(lasts=lasts) for _ in range(PROCESSES)]

    def tend(self) -> None:
        """Start those again that have ended."""
        for place, worker in enumerate(self._workers):
            if not worker.running:
                assert worker.wait() == ENDED, worker.log[-3000:]
                self._workers[place] = self._deadly.consume(lasts=self._lasts)

    def stop(self) -> None:
        """Stop all, in order."""
        for worker in self._workers:
            worker.stop()


class Supervised:
    """The same, by a supervisor."""

    def __init__(self, deadly: Deadly, lasts: float) -> None:
        self._supervisor = deadly.consume("-w", str(PROCESSES), lasts=lasts)

    def tend(self) -> None:
        """It does that itself."""
        assert self._supervisor.running, self._supervisor.log[-3000:]

    def stop(self) -> None:
        """Stop all, in order."""
        self._supervisor.stop()
