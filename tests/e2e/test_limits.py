"""Limits: a worker stops by itself, with 0, and leaves the rest for others."""

from __future__ import annotations

import time

import pytest

from tests.e2e.project import Project
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e


def notes(project: Project, count: int) -> None:
    """Send so many notes."""
    project.send_many(*[("Note", {"number": number}) for number in range(count)])


def test_limit(project: Project) -> None:
    """``--limit 5`` handles five messages, not one more, and the rest is there for others at once."""
    project.configure(transport="lease = 60")
    notes(project, 20)
    assert project.consume("--limit", "5", "-Q", "bank-note").wait() == 0
    assert len(project.lines("notes")) == 5
    assert project.consume("-Q", "bank-note", "--burst").wait() == 0
    assert sorted(int(line.split()[0]) for line in project.lines("notes")) == list(range(20))


def test_limit_over_several_queues(project: Project) -> None:
    """``--limit`` counts over all queues together."""
    project.configure(transport="lease = 60")
    for _ in range(2):
        project.send_many(
            *[("Note", {"number": n}) for n in range(6)], *[("Deposit", {"number": n}) for n in range(6)]
        )
    assert project.consume("--limit", "7", "--type", "Note", "--type", "Deposit").wait() == 0
    deposits = project.rows("SELECT count(*) FROM deposits") or [(0,)]
    assert len(project.lines("notes")) + deposits[0][0] == 7


def test_time_limit(project: Project) -> None:
    """``--time-limit 1`` ends an idle worker after about a second."""
    started = time.monotonic()
    assert project.start("consume", "--time-limit", "1").wait() == 0
    assert time.monotonic() - started >= 1


def test_time_limit_lets_running_handlers_finish(project: Project) -> None:
    """A limit stops like TERM: what runs is finished."""
    project.send("Hold", name="slow")
    worker = project.consume("--time-limit", "1")
    until(lambda: project.marks("started"), "the handler runs")
    worker.until_logged("worker started")
    until(
        lambda: not worker.running or project.mark("release", "slow") or project.marks("finished"),
        "it is finished",
    )
    assert worker.wait() == 0
    assert project.marks("finished") == ["slow.1"]


def test_failure_limit(project: Project) -> None:
    """``--failure-limit 3`` ends the worker with 0 after three failed attempts."""
    project.send_many(*[("Broken", {"name": f"b{number}"}) for number in range(10)])
    assert project.consume("--failure-limit", "3", "-c", "1").wait() == 0
    assert len(project.lines("broken")) == 3


def test_memory_limit(project: Project) -> None:
    """``--memory-limit`` ends the worker with 0 after the handler that made it grow."""
    worker = project.consume("--memory-limit", "300M", "-c", "1")
    project.send("Note", number=1)
    until(lambda: project.lines("notes"), "a small one does not end it")
    assert worker.running
    project.send("Grow", megabytes=320)
    assert worker.wait() == 0
    assert project.lines("grown") == ["320"]


def test_a_memory_limit_that_no_start_can_hold(project: Project) -> None:
    """It is exit 2 with both figures, of the whole fleet too, and no restarts without end."""
    notes(project, 1)
    fleet = project.start("consume", "-w", "2", "--memory-limit", "8M")
    assert fleet.wait() == 2
    assert "--memory-limit 8.0M: this process takes" in fleet.log
    assert not project.lines("notes")


def test_burst(project: Project) -> None:
    """``--burst`` handles what is due, what follows from it, and sends the outbox; delayed messages stay."""
    project.send_many(*[("Deposit", {"number": number}) for number in range(30)], ("Note", {"number": 1}))
    project.ok("send", "Note", "number:=2", "--delay", "600")
    assert project.consume("--burst").wait() == 0
    assert len(project.rows("SELECT number FROM bookings")) == 30
    assert len(project.lines("notes")) == len(project.lines("filed")) == 1
    assert project.outbox() == 0
    assert project.waiting() == 1


def test_burst_of_nothing(project: Project) -> None:
    """``--burst`` on empty queues ends with 0 at once."""
    assert project.start("consume", "--burst").wait() == 0
