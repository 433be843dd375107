"""Handlers that do everything a handler should not do, at random, for as long as is asked for.

What must hold: no message is lost, each ends as it must, no process is restarted, and neither memory nor threads grow.

``WORKER_TEST_SOAK_SEED=7`` repeats one run, and ``WORKER_TEST_SOAK_URL=amqp://…`` names a transport other than SQLite.
"""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.deep import size
from tests.e2e.processes import Process
from tests.e2e.project import Intake, Project
from tests.e2e.waiting import until
from tests.faults.soak.app import ACTS, BLOCKING_ACTS, PLAIN, PLAIN_NAMES, STORING, TIMED

SECONDS = size(8.0, 600.0)
URL = os.environ.get("WORKER_TEST_SOAK_URL", "sqlite:///var/queue.db")
BATCH = 150
PATIENCE = 30.0

GROWTH = 48 << 20
"""Bytes by which a process may grow after its first third: what caches and threads take in the end."""
THREADS = 16 + 32 + 24
"""Threads of one process at most: its own, those of handlers, and those given up."""

TOML = """\
app = "tests.faults.soak.app:app"

[database]
url = "sqlite:///var/worker.db"

[transports.soak]
url = "{url}"

[routing]
"*" = "soak"
"""

KINDS = {"Wild": {**ACTS, **TIMED, **STORING}, "Swift": {**ACTS, **STORING}, "Blocking": BLOCKING_ACTS}
SLOW = {"sleeps", "clings", "blocks"}
"""Acts that hold a slot for a while: one in ten messages of their kind at most, so that others get on."""


class Soak:
    """Sends wild messages and knows how each must end.

    Attributes:
        expected: type of the error that a message must fail with, by its id; None where it must be done.
        events: types of errors that events must fail with, by the number of their message.
        also: another end to which a message may come, by its id. One that waits for the database's only writer within
            its timeout may wait too long: waiting counts, as any other that a handler does, and its next attempt may be a
            calm one. And a group of tasks ends well where another handler, which cancels all tasks that handlers have
            spawned, has cancelled each of them.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.expected: dict[str, str | None] = {}
        self.acts: dict[str, str] = {}
        self.events: dict[int, str | None] = {}
        self.also: dict[str, tuple[str, str | None]] = {}

    def lines(self, count: int) -> bytes:
        """Make a batch of messages."""
        return b"".join(json.dumps(self._line()).encode() + b"\n" for _ in range(count))

    def _line(self) -> dict[str, Any]:
        kind = self._random.choice(list(KINDS))
        acts = KINDS[kind]
        quick = [name for name in acts if name not in SLOW]
        slow = [name for name in acts if name in SLOW]
        act = self._random.choice(slow if slow and self._random.random() < 0.03 else quick)
        once = self._random.random() < 0.5
        id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        number = len(self.expected)
        error = acts[act][1]
        self.expected[id] = None if once and error not in FINAL else error
        if kind == "Wild" and act in STORING:
            self.also[id] = ("done", None) if once else ("failed", "HandlerTimeout")
        if act == "in a group":
            self.also[id] = ("done", None)
        self.acts[id] = f"{kind}: {act}{' once' if once else ''}"
        if act == "events":
            self.events[number] = PLAIN[PLAIN_NAMES[number % len(PLAIN_NAMES)]][1]
        return {"type": kind, "id": id, "data": {"number": number, "act": act, "once": once}}


FINAL = {"UsageError", "Reject", "Unrecoverable"}
"""Errors that are not retried: their message fails though only its first attempt is wild."""


def send(intake: Intake, soak: Soak) -> None:
    """Send a batch; all of it is taken."""
    answer = intake.client.post(
        "/commands", content=soak.lines(BATCH), headers={"Content-Type": "application/x-ndjson"}
    )
    assert answer.status_code == 202, answer.text
    assert all("error" not in json.loads(line) for line in answer.text.splitlines()), answer.text


def ask(intake: Intake, act: str) -> None:
    """Let a handler misbehave in the intake: each answer is a problem document."""
    for path in ("/commands/AtOnce", "/queries/Ask"):
        answer = intake.client.post(path, json={"act": act})
        assert answer.status_code == 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def ended(project: Project) -> int:
    """How many commands have ended."""
    counted = "SELECT count(*) FROM worker_statuses WHERE state IN ('done', 'failed') AND type != 'AtOnce'"
    return int((project.rows(counted) or [(0,)])[0][0])


def measured(pids: list[int]) -> tuple[int, int]:
    """Resident memory and threads of the largest of some processes (Linux)."""
    memory, threads = 0, 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        facts = dict(line.split(":", 1) for line in lines if ":" in line)
        memory = max(memory, int(facts["VmRSS"].split()[0]) * 1024)
        threads = max(threads, int(facts["Threads"]))
    return memory, threads


def wrong_ends(project: Project, soak: Soak) -> Counter[str]:
    """What ended in another way than it must, or not at all."""
    rows = project.rows("SELECT id, state, error_type FROM worker_statuses")
    found = {id: (state, error if state == "failed" else None) for id, state, error in rows}
    wrong = Counter[str]()
    for id, error in soak.expected.items():
        right = ("failed", error) if error else ("done", None)
        got = found.get(id, ("lost", None))
        if got not in (right, soak.also.get(id)):
            wrong[f"{soak.acts[id]}: expected {right}, is {got}"] += 1
    failed = {
        json.loads(body)["data"]["number"]: error
        for body, error in project.rows(
            "SELECT f.body, g.error_type FROM worker_failures f JOIN worker_failure_groups g ON g.failure_id = f.id"
            " WHERE f.type = 'Noted'"
        )
    }
    for number, error in soak.events.items():
        if failed.get(number) != error:
            wrong[f"an event: expected {error}, is {failed.get(number)}"] += 1
    return wrong


def until_right(project: Project, soak: Soak) -> None:
    """Wait until every message has ended as it must."""
    wrong = Counter[str]()

    def right() -> bool:
        nonlocal wrong
        wrong = wrong_ends(project, soak)
        return not wrong

    try:
        until(right, "all have ended as they must", PATIENCE, 0.5)
    except AssertionError:
        shown = "\n".join(f"{count} × {text}" for text, count in wrong.most_common(40))
        raise AssertionError(f"of {len(soak.expected)} messages\n{shown}") from None


def until_ended(project: Project, soak: Soak, count: int) -> None:
    """Wait until so many have ended; where they do not, say which have not."""
    try:
        until(lambda: ended(project) >= count, "most have ended", PATIENCE, 0.1)
    except AssertionError:
        until_right(project, soak)


def run(project: Project, soak: Soak, workers: Process, intake: Intake, names: random.Random) -> None:
    """Send a batch when most of those before have ended, until the time is over; watch memory and threads."""
    pids = workers.children()
    end, first = time.monotonic() + SECONDS, time.monotonic() + SECONDS / 3
    most = memory = threads = 0
    while time.monotonic() < end:
        send(intake, soak)
        ask(intake, names.choice(PLAIN_NAMES))
        until_ended(project, soak, len(soak.expected) - BATCH // 3)
        memory, threads = measured([*pids, intake.process.pid])
        assert threads <= THREADS, f"{threads} threads"
        if time.monotonic() < first or not most:
            most = max(most, memory)
        assert memory <= most + GROWTH, f"memory grew from {most >> 20} to {memory >> 20} MiB"
    print(f"{len(soak.expected)} messages, {most >> 20} then {memory >> 20} MiB, {threads} threads")


@pytest.mark.e2e
@pytest.mark.fault
@pytest.mark.timeout(SECONDS + 4 * PATIENCE)
def test_no_handler_can_stop_loop_or_starve_the_worker(project: Project) -> None:
    """Whatever it raises, spawns, returns or holds; two processes, seeded."""
    seed = int(os.environ.get("WORKER_TEST_SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"WORKER_TEST_SOAK_SEED={seed}")
    (project.folder / "worker.toml").write_text(TOML.format(url=URL))
    soak = Soak(seed)
    intake = project.serve()
    workers = project.consume("-w", "2", "-c", "16")
    until(lambda: workers.log.count("worker started") == 2, "both processes take messages")
    pids = workers.children()
    run(project, soak, workers, intake, random.Random(seed))
    until_right(project, soak)
    assert project.lines("wrong.txt") == []
    assert workers.children() == pids
    assert "worker process ended" not in workers.log
    assert intake.client.get("/livez").status_code == 200
    intake.process.stop()
    workers.stop()
