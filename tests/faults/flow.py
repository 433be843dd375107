"""Commands flow through an intake and three workers, all processes of their own, while a test breaks something.

It ends with everything drained and counted: nothing lost, nothing unexpected, each stored effect once.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from tests.deep import size
from tests.e2e.processes import Process
from tests.e2e.project import Intake, Project
from tests.e2e.waiting import until
from tests.faults.effects import Effects
from tests.faults.in_flight import InFlight
from tests.faults.load import Load, id_of, type_of
from worker.runtime.taking.ahead import MAX_PREFETCH

COMMANDS = size(800, 20_000)
"""How many flow in each test."""
WORKERS = 3
SLOTS = 16
HELD = 0.4
"""How much of it is posted before a test goes on: where queues must have an age first, their fault meets the rest."""
IN_HAND = WORKERS * MAX_PREFETCH
"""Messages that the workers hold at most, prefetched ones included."""
BACK = size(60.0, 30.0)
"""Seconds after the end of a fault within which every worker consumes again: 30 is promised, on a machine with little to do."""
DRAIN = 300.0
"""Seconds within which everything is handled, on a machine that does much else."""

TOML = """\
app = "tests.faults.app:app"

[database]
url = "{database}"

[transports.{name}]
url = "{url}"
{options}

[routing]
"*" = "{name}"
"""


class Queues(Protocol):
    """What a broker says of the queues that commands flow over.

    Attributes:
        steady: seconds for which a count must stay the same, while no worker moves, until it is that of now.
        young: seconds that the queues must have been there before their server may be stopped or killed.
        lease: seconds after which the server hands out once more what stands still, to requests of those who stand
            still as well, which wait there; infinite where none do.
        copied: whether what a server has lost is published again from copies.
    """

    steady: float
    young: float
    lease: float
    copied: bool

    def waiting(self) -> int:
        """Messages on all queues, in hand or not."""
        ...

    def held(self) -> int:
        """Commands to note that are handed out and not settled, while no worker moves."""
        ...

    def unsettled(self, begun: Collection[int]) -> int:
        """How many of those that were begun are not settled, while no worker moves."""
        ...


class Flow:
    """The processes, the load, and the sums.

    Args:
        transport: its name, and its URL as the processes reach it.
        queues: what the broker says of them.
        database: URL of the state; a file by default.
        seen: URL by which the test itself looks at the state, where it is another one.
    """

    def __init__(
        self,
        project: Project,
        transport: tuple[str, str],
        queues: Queues,
        *,
        options: str = "",
        database: str | None = None,
        seen: str | None = None,
        commands: int = COMMANDS,
    ) -> None:
        self.project = project
        self.commands = commands
        self._queues = queues
        self._in_flight = InFlight(queues.steady)
        self._name, url = transport
        database = database or f"sqlite:///{project.folder}/var/worker.db"
        self._seen = seen or database
        text = TOML.format(name=self._name, url=url, options=options, database=database)
        (project.folder / "worker.toml").write_text(text)
        self.workers: list[Process] = []
        self.intake: Intake
        self.load: Load
        self.effects: Effects
        self.set_up_at = 0.0
        self._started = 0.0
        self._probed = 0
        self._probes: dict[int, str] = {}
        self._unclear: dict[int, str] = {}

    def __enter__(self) -> Self:
        """Start everything, and wait until commands flow."""
        self.project.ok("setup", timeout=240)
        self._started = self.set_up_at = time.monotonic()
        self.effects = Effects(self.project.folder, self._seen)
        try:
            self._begin()
        except BaseException:
            self._end(failed=True)  # threads would outlive the run
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(failed=error is not None)

    # --- what faults need ---------------------------------------------------------------------------------------

    def until_stored(self, number: int, timeout: float = DRAIN) -> None:
        """Wait until so many commands are stored."""
        until(lambda: self._fails() or self.effects.count() >= number, f"{number} are stored", timeout, 0.1)

    def until_share(self, share: float) -> None:
        """Let all of it be posted, and wait until so much of the work is done."""
        self.load.go_on()
        self.until_stored(int(self.commands * share))

    def until_old(self) -> None:
        """Wait until the queues are so old that their server may be stopped or killed; then all the rest is posted."""
        age = self._queues.young
        until(lambda: time.monotonic() - self.set_up_at >= age, "the queues are old enough", age + 5)
        self.load.go_on()

    @staticmethod
    def now() -> float:
        """The clock by which ``Tally.accepted`` tells when."""
        return time.monotonic()

    def fault(self) -> AbstractContextManager[None]:
        """Break something in the block, which the workers outlive.

        They may do all that they hold before they hear of it, and the broker hands all of it out again. Where requests
        of workers wait at the server, the intake stands still, too: what it sent after the count would be handed out.
        Where copies are published again, so is what it has under way: it is copied first, and may arrive by itself.
        """
        lease = self._queues.lease
        standing = self.workers if math.isinf(lease) else [*self.workers, self.intake.process]

        def count() -> int:
            return self._queues.held() + (self.load.under_way if self._queues.copied else 0)

        return self._in_flight.counted(standing, count, lease=lease)

    def outlives(self, breaks: Callable[[], object], mends: Callable[[], object] = lambda: None) -> None:
        """Break something amid the commands, mend it, and assert that all comes back and nothing is lost."""
        self.until_stored(self.commands // 4)
        self.until_old()
        with self.fault():
            breaks()
        mends()
        self.until_back()
        self.finish()

    def replace(self, worker: Process) -> None:
        """Kill a worker with -9, and start another one in its place."""
        with self._in_flight.counted(self.workers, lambda: self._queues.unsettled(self.effects.begun())):
            worker.kill()
        self.workers[self.workers.index(worker)] = self._consume()

    def freeze(self, worker: Process) -> None:
        """Let a worker stand still, until its process gets ``SIGCONT``; what it holds others will do."""
        with self._in_flight.counted(self.workers, self._queues.held, worker):
            pass

    def refused(self) -> bool:
        """Whether the intake has answered 503; where the load is done already, commands beyond it find out."""
        return self.load.tally.unavailable > 0 or (self.load.done and not self._probe("Take", 1))

    def restart_intake(self) -> None:
        """Kill the intake with -9, and start another one on its port."""
        self.intake.process.kill()
        self.intake = self.project.serve(port=self.intake.port)

    def until_back(self) -> None:
        """Wait until every worker consumes again, and what is published now is received; print the seconds.

        A worker consumes again when it does more than its slots held. Each must then do something that was
        published from now on, and a command of each type is, which the sums at the end find.
        """
        begun = time.monotonic()
        self.effects.look()
        before = Counter(self.effects.by_worker)
        late: set[int] = set()

        def look() -> Counter[int]:
            self._fails()
            if self.load.done:
                self._probe("Take", 20)
            for number, pid in self.effects.look():
                if self.load.tally.accepted.get(number, begun if number in self._probes else 0.0) >= begun:
                    late.add(pid)
            return self.effects.by_worker - before

        until(
            lambda: sum(gain > 2 * SLOTS for gain in look().values()) >= WORKERS,
            "every worker consumes again",
            BACK,
            0.1,
        )
        print(f"back in {time.monotonic() - begun:.1f} s")
        until(lambda: look() and len(late) >= WORKERS, "every worker gets what is published now", DRAIN, 0.1)
        for kind in ("Take", "Keep"):
            until(lambda: self._probe(kind, 1), f"{kind} is taken after the fault", BACK, 0.2)  # noqa: B023

    def finish(self, *, lost: Callable[[], Collection[int]] = tuple, at_most: int = 0) -> None:
        """Drain, count, and stop everything.

        Handled again may be what was in flight at the faults, and what was posted again because it was not known
        whether it had been taken.

        Args:
            lost: once every command is accepted, those to note that the fault itself may have taken away.
            at_most: how many of them.
        """
        until(lambda: self.load.done, "every command is accepted", DRAIN, 0.2)
        posted = {number: type_of(number) for number in range(self.commands)} | self._probes
        may_miss = set(lost())
        until(lambda: self._drained(posted, may_miss), "everything is drained", DRAIN, 0.3)
        tally, noted = self.load.tally, self.effects.noted
        assert not tally.odd, tally.odd
        kept, told = self.effects.numbers("kept"), self.effects.numbers("told")
        missing = set(posted) - set(noted) - set(kept)
        assert missing <= may_miss, f"lost: {len(missing - may_miss)}, {sorted(missing - may_miss)[:20]}"
        assert len(missing) <= at_most, f"{len(missing)} are missing, at most {at_most} were in the queue"
        assert set(told) == set(kept), f"events lost: {sorted(set(kept) - set(told))[:20]}"
        known = posted | self._unclear
        unexpected = {number for number in noted if known.get(number) != "Take"} | {
            number for number in {*kept, *told} if known.get(number) != "Keep"
        }
        assert not unexpected, f"unexpected: {sorted(unexpected)[:20]}"
        for what, numbers in (("commands", kept), ("events", told)):
            twice = [number for number, count in numbers.items() if count > 1]
            assert not twice, f"{what} stored twice: {len(twice)}, {twice[:20]}"
        self._check_ids()
        duplicates = noted.total() - len(noted)
        allowed = self._in_flight.total + tally.repeated
        assert duplicates <= allowed, f"{duplicates} handled again, {allowed} were in flight"
        failures = self.effects.rows("worker_failures")
        assert failures == 0, f"{failures} failed"
        print(
            f"{len(noted)} noted, {len(kept)} kept, {len(missing)} missing, {duplicates} handled again (allowed "
            f"{allowed}), {tally.repeated} posted again, {tally.unavailable} × 503, slowest answer "
            f"{tally.slowest:.1f} s, {time.monotonic() - self._started:.0f} s in all"
        )
        for worker in self.workers:
            worker.stop()
        self.intake.process.stop()
        until(lambda: self._queues.waiting() == 0, "nothing was given back at the end", every=0.5)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.intake = self.project.serve()
        self.workers = self.project.consume_all(WORKERS, self._name, "-c", str(SLOTS))
        url = str(self.intake.client.base_url)
        # queues that must have an age yet are given the rest when they have it: a fault is to meet commands
        held_at = self.commands * HELD if self._queues.young else math.inf
        self.load = Load(url, range(self.commands), self.effects.count, held_at)
        self.load.start()
        self.until_stored(self.commands // 10, 90)

    def _end(self, *, failed: bool) -> None:
        if hasattr(self, "load"):
            self.load.stop()
        try:
            if failed:
                self._tell()
        finally:
            self.effects.close()

    def _consume(self) -> Process:
        return self.project.consume(self._name, "-c", str(SLOTS))

    def _probe(self, kind: str, count: int) -> bool:
        """Post commands beyond the load's; whether all were taken."""
        for _ in range(count):
            number = self.commands + self._probed
            self._probed += 1
            answer = self.intake.client.post(f"/commands/{kind}", json={"number": number}, timeout=60)
            assert answer.status_code in {202, 503}, answer.text
            if answer.status_code == 503:
                self._unclear[number] = kind
                return False
            self._probes[number] = kind
        return True

    def _drained(self, posted: Mapping[int, str], may_miss: set[int]) -> bool:
        self._fails()
        self.effects.look()
        kept = self.effects.rows("kept")
        takes = {number for number, kind in posted.items() if kind == "Take"}
        if kept < len(posted) - len(takes) or takes - may_miss - self.effects.noted.keys():
            return False
        if self.effects.rows("worker_outbox") or self._queues.waiting():
            return False
        return self.effects.rows("told") >= kept

    def _check_ids(self) -> None:
        rows = self.effects.run("SELECT number, message_id FROM kept")
        strange = [row for row in rows if row[0] < self.commands and row[1] != id_of(row[0])]
        assert not strange, f"stored under another id: {strange[:5]}"

    def _fails(self) -> bool:
        """Raise when there is no point in waiting any longer; False else."""
        ended = [worker.arguments for worker in self.workers if not worker.running]
        assert not ended, f"workers have ended: {ended}"
        if hasattr(self, "load") and self.load.failed is not None:
            raise AssertionError(f"posting failed: {self.load.failed!r}")
        return False

    def _tell(self) -> None:
        """What was known when it went wrong, and the end of each log."""
        if hasattr(self, "load"):
            print(
                f"accepted {len(self.load.tally.accepted)}, done {self.effects.count()}, {self.load.tally.odd}"
            )
        for process in self.project.processes:
            print(
                f"--- {process.arguments}, {'running' if process.running else 'ended'}\n{process.log[-3000:]}"
            )
