"""Handlers that fork or will not end: the worker goes on, and stops when it is told to."""

from __future__ import annotations

import subprocess
import time

import pytest

from tests.e2e.processes import environment
from tests.e2e.project import Project
from tests.e2e.waiting import SOON, until
from worker.runtime.process.supervisor import command_line

pytestmark = pytest.mark.e2e

GRACE = 1.0


@pytest.fixture
def stubborn(project: Project) -> Project:
    """The folder, with the application whose handlers are that."""
    project.configure(app="tests.e2e.stubborn:app")
    project.warm = False
    return project


def stops(project: Project, *types: str) -> None:
    """Let a worker run these, and assert that TERM ends it in time, with 0."""
    project.send_many(*[(name, {}) for name in types])
    worker = project.consume("--graceful-timeout", str(GRACE))
    until(lambda: project.marks("started") == sorted(name.lower() for name in types), "the handlers run")
    if "Thread" in types:
        worker.until_logged("a handler has taken signals for itself")
    asked = time.monotonic()
    worker.term()
    assert worker.wait() == 0
    took = time.monotonic() - asked
    assert took < GRACE + SOON, f"took {took:.1f} s"


def test_a_stop_waits_for_no_thread_no_task_and_needs_no_signal_of_its_own(stubborn: Project) -> None:
    """A thread that never ends, a handler deaf to its cancellation, and one that took TERM for itself."""
    stops(stubborn, "Thread", "Deaf")


def test_a_handler_that_holds_up_the_loop_holds_up_no_stop(stubborn: Project) -> None:
    """The process ends, and the log says where it was held up."""
    stubborn.warm = True  # it leaves before Python's own end
    stops(stubborn, "Block")
    assert "leaving without what still runs" in stubborn.processes[-1].log
    assert "stubborn.py" in stubborn.processes[-1].log


def test_a_handler_that_holds_up_the_loop_holds_up_no_time_limit(stubborn: Project) -> None:
    """Though no code on the loop can notice that it is reached."""
    stubborn.warm = True  # as above
    stubborn.send("Block")
    worker = stubborn.start("consume", "--time-limit", "1", "--graceful-timeout", "0.5")
    assert worker.wait() == 0
    assert stubborn.marks("started") == ["block"]
    assert "leaving without what still runs" in worker.log


def test_a_worker_that_a_handler_starts_is_as_one_of_a_shell(stubborn: Project) -> None:
    """HUP renews it, though the one that started it is of a supervisor, which would have started it anew."""
    stubborn.send("Spawn")
    supervisor = stubborn.start("consume", "-w", "2", "-c", "1")
    inner = stubborn.folder / "spawned.log"
    until(
        lambda: inner.exists() and inner.read_text().count("worker started") == 2, "the inner one is renewed"
    )
    until(lambda: stubborn.lines("spawned") == ["0"], "and stopped")
    supervisor.stop()


def test_a_handler_may_fork(stubborn: Project) -> None:
    """Its children end when they are told to, share no connection, and never go on as a second worker."""
    stubborn.send_many(("Fork", {}), ("Plain", {}), ("Fork", {}))
    worker = stubborn.consume("-c", "1")
    until(lambda: len(stubborn.lines("ended")) == 6 and stubborn.lines("returned"), "all are handled")
    assert stubborn.lines("ended") == ["15", "70", "piped"] * 2
    assert sorted(stubborn.lines("squares")) == ["[16]", "[4, 9]", "[4, 9]"]
    assert stubborn.lines("returned") == ["70"]
    stubborn.until_empty()
    worker.stop()
    assert worker.log.count('"worker started"') == 1


@pytest.mark.parametrize(
    ("streams", "processes"), [("<&- >&- 2>&-", "2"), (">/dev/full 2>/dev/full", "1")], ids=["closed", "full"]
)
def test_standard_streams_that_take_nothing_hold_up_nobody(
    stubborn: Project, streams: str, processes: str
) -> None:
    """Closed ones are as /dev/null; on a full disk neither the log nor what a handler prints fails a message."""
    stubborn.send("Print", text="ä")
    shell = ["sh", "-c", f'exec "$@" {streams}', "sh"]
    done = subprocess.run(
        [*shell, *command_line(["consume", "-w", processes, "--burst"])],
        cwd=stubborn.folder,
        env=environment(),
        timeout=30,
    )
    assert done.returncode == 0
    assert stubborn.lines("printed") == ["ä"]


def test_text_is_utf_8_whatever_the_locale(stubborn: Project) -> None:
    """Arguments, standard input and what is printed, where Python would take them for ASCII."""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    refused = stubborn.cli("send", "Print", "-", stdin='{"text": "", "täxt": 1}', extra=ascii_only)
    assert refused.returncode == 2 and "täxt" in refused.stderr
    stubborn.ok("send", "Print", "text=€", extra=ascii_only)
    assert "€" in stubborn.ok("consume", "--burst", extra=ascii_only)
    assert stubborn.lines("printed") == ["€"]
