"""Exclusive commands and breakers with real workers."""

from __future__ import annotations

import sqlite3
from collections import Counter

import pytest

from tests.e2e.processes import Process
from tests.e2e.project import Project
from tests.e2e.waiting import ASKED, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SOURCE = """
import asyncio, os, time
from pathlib import Path
import msgspec
from worker import App, Breaker, Retry

app = App("solo")


def note(line):
    file = os.open("spans", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\\n".encode())
    os.close(file)


@app.command
class Work(msgspec.Struct, frozen=True):
    number: int


@app.command(exclusive=True, retry=Retry(max_retries=1, delay=0.1))
class Rebuild(msgspec.Struct, frozen=True):
    number: int


@app.command(retry=Retry(max_retries=0))
class Mail(msgspec.Struct, frozen=True):
    number: int


@app.handler
async def work(command: Work) -> None:
    begun = time.monotonic()
    await asyncio.sleep(0.03)
    note(f"work {command.number} {begun} {time.monotonic()}")


@app.handler
async def rebuild(command: Rebuild) -> None:
    begun = time.monotonic()
    await asyncio.sleep(60 if Path("long").exists() else 0.3)
    note(f"rebuild {command.number} {begun} {time.monotonic()}")
    raise RuntimeError("as the test wants it")


@app.handler(breaker=Breaker(failures=3, errors=(ConnectionError,), pause=1.0, max_pause=2.0))
async def mail(command: Mail, context) -> None:
    note(f"mail {command.number} {context.attempt}")
    if Path("down").exists():
        raise ConnectionError("down")
"""


@pytest.fixture
def solo(project: Project) -> Project:
    (project.folder / "solo.py").write_text(SOURCE)
    project.configure(app="solo:app", transport="lease = 5")
    return project


def spans(project: Project, kind: str) -> list[tuple[float, float]]:
    """When handlers of a kind began and ended, by the machine's one monotonic clock."""
    found = [line.split() for line in project.lines("spans") if line.startswith(f"{kind} ")]
    return [(float(line[2]), float(line[3])) for line in found]


def test_three_workers_and_an_exclusive_command_that_fails(solo: Project) -> None:
    """It overlaps nothing, at none of its attempts; an operator's pause of another type outlives it."""
    solo.send_many(*(("Work", {"number": number}) for number in range(300)))
    for _ in range(3):
        solo.consume("-c", "4")
    until(lambda: len(spans(solo, "work")) > 20, "the workers work")
    solo.send_many(("Rebuild", {"number": 1}), ("Rebuild", {"number": 2}))
    solo.ok("pause", "Mail", "--wait")
    solo.send("Mail", number=1)
    until(lambda: len(spans(solo, "work")) == 300 and len(spans(solo, "rebuild")) == 4, "all is done", 100)
    for begun, ended in spans(solo, "rebuild"):
        others = [*spans(solo, "work"), *spans(solo, "rebuild")]
        beside = [span for span in others if span[0] < ended and span[1] > begun and span != (begun, ended)]
        assert beside == []
    assert not [line for line in solo.lines("spans") if line.startswith("mail ")]
    solo.ok("resume", "Mail")
    solo.until_empty()


def killed(solo: Project, worker: Process) -> None:
    """Kill a worker in an exclusive command, and let half a minute pass."""
    # that of the worker before is over, and still there
    holding = "SELECT count(*) FROM worker_locks WHERE until > strftime('%s', 'now') + 1"
    until(lambda: solo.rows(holding) == [(1,)], "it has the lock")
    worker.kill()
    connection = sqlite3.connect(solo.database, timeout=10)
    with connection:
        connection.execute("UPDATE worker_locks SET until = until - 30")
        connection.execute("UPDATE worker_workers SET seen_at = seen_at - 30")
        connection.execute("UPDATE worker_control SET version = version + 1")
    connection.close()


def test_who_kills_the_workers_of_an_exclusive_command_fails_it_not(solo: Project) -> None:
    """It is suspect after two; then it runs in a process of its own, while its worker holds the lock."""
    (solo.folder / "long").touch()
    solo.send("Rebuild", number=1)
    for _ in range(4):
        killed(solo, solo.consume())
    (solo.folder / "long").unlink()
    solo.consume()
    until(lambda: solo.rows("SELECT count(*) FROM worker_failures") == [(1,)], "it has failed by itself", 100)
    (failed,) = solo.json("failed", "list")["items"]
    assert failed["error"]["type"] == "RuntimeError"
    assert "is handled alone" in solo.processes[-1].log
    assert solo.rows("SELECT count(*) FROM worker_locks") == [(0,)]


def test_a_worker_killed_in_an_exclusive_command_holds_nobody_up_for_good(solo: Project) -> None:
    """Its lock ends by its time, and the others go on."""
    solo.send("Rebuild", number=1)
    killed(solo, solo.consume("-c", "2"))
    solo.consume("-c", "2")
    solo.send("Work", number=1)
    until(lambda: len(spans(solo, "work")) == 1, "the others go on", 100)


def test_a_dependency_that_is_down_costs_no_attempt(solo: Project) -> None:
    """While it is down nothing fails for good; afterwards the work resumes by itself, on first attempts."""
    (solo.folder / "down").touch()
    for _ in range(2):
        solo.consume("-c", "4")
    solo.send_many(*(("Mail", {"number": number}) for number in range(40)))

    def mail() -> dict[str, object]:
        return next(one for one in solo.json("status")["consumers"] if one["type"] == "Mail")

    pause = until(lambda: mail()["pause"], "the breaker opens", every=ASKED)
    assert pause["actor"] == "breaker"  # type: ignore[index]
    calls = len(solo.lines("spans"))
    until(lambda: len(solo.lines("spans")) >= calls + 2, "messages are tried now and then", 100)
    (solo.folder / "down").unlink()
    solo.until_empty(60)
    tried = Counter(line.split()[2] for line in solo.lines("spans"))
    assert tried.keys() == {"1"}
    assert {int(line.split()[1]) for line in solo.lines("spans")} == set(range(40))
    assert solo.rows("SELECT count(*) FROM worker_failures") == [(0,)]
    until(lambda: not mail()["paused"], "it is closed", every=ASKED)
