"""Handlers that fork or will not end: the worker goes on, and stops when it is told to."""

from __future__ import annotations

import time

import pytest

from tests.e2e.project import Project
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e

GRACE = 1.0
WITHIN = GRACE + 2.0


@pytest.fixture
def stubborn(project: Project) -> Project:
    """The folder, with the application whose handlers are that."""
    project.configure(app="tests.e2e.stubborn:app")
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
    assert worker.wait(30) == 0
    took = time.monotonic() - asked
    assert took < WITHIN + 0.5, f"took {took:.1f} s"  # half a second for a busy machine


def test_a_stop_waits_for_no_thread_no_task_and_needs_no_signal_of_its_own(stubborn: Project) -> None:
    """A thread that never ends, a handler deaf to its cancellation, and one that took TERM for itself."""
    stops(stubborn, "Thread", "Deaf")


def test_a_handler_that_holds_up_the_loop_holds_up_no_stop(stubborn: Project) -> None:
    """The process ends, and the log says where it was held up."""
    stops(stubborn, "Block")
    assert "leaving without what still runs" in stubborn.processes[-1].log
    assert "stubborn.py" in stubborn.processes[-1].log


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
