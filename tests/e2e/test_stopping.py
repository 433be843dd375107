"""Signals: what runs is finished or given back, nothing is charged, nothing new starts."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.project import Project
from tests.e2e.waiting import SOON, stays, until

pytestmark = pytest.mark.e2e

LONG_LEASE = "lease = 60"


def hold(project: Project, *names: str) -> None:
    """Send a ``Hold`` a name."""
    project.send_many(*[("Hold", {"name": name}) for name in names])


def test_running_handlers_finish_on_term(project: Project) -> None:
    """After TERM the running handlers finish, nothing new starts, and the process ends with 0."""
    project.configure(transport=LONG_LEASE)
    hold(project, *[f"h{number}" for number in range(10)])
    worker = project.consume("-c", "2")
    until(lambda: len(project.marks("started")) == 2, "both slots are taken")
    running = project.marks("started")
    worker.term()
    worker.until_logged("stopping")
    stays(lambda: worker.running and project.marks("started") == running, "running ones are awaited", 0.7)
    project.mark("release", "all")
    assert worker.wait() == 0
    assert project.marks("finished") == project.marks("started") == running
    assert project.waiting() == 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_overlong_handler_is_given_back_uncharged(project: Project, number: int) -> None:
    """A handler that exceeds the graceful timeout is given back; the next worker gets it at once as attempt 1."""
    project.configure(transport=LONG_LEASE)
    hold(project, "long")
    worker = project.consume("--graceful-timeout", "1")
    until(lambda: project.marks("started") == ["long.1"], "the handler runs")
    asked = time.monotonic()
    worker.signal(number)
    assert worker.wait() == 0
    assert 0.9 <= time.monotonic() - asked < SOON
    assert project.marks("finished") == []
    assert project.rows("SELECT state FROM worker_statuses") == [("accepted",)]
    project.mark("release", "long")
    project.consume("--burst")
    until(lambda: project.marks("finished") == ["long.1"], "the next worker handles it as attempt 1", SOON)
    assert project.marks("started") == ["long.1"]
    assert project.rows("SELECT count(*) FROM worker_attempts") == [(0,)]
    project.until_empty()


def test_prefetched_messages_are_given_back(project: Project) -> None:
    """What a stopping worker had taken ahead is handled by another one at once, long before its lease."""
    project.configure(transport=LONG_LEASE)
    hold(project, "block0", "block1", *[f"h{number}" for number in range(30)])
    first = project.consume("-c", "2")
    until(lambda: len(project.marks("started")) == 2, "both slots are taken")
    second = project.consume("-c", "30")
    for name in [f"h{number}" for number in range(30)]:
        project.mark("release", name)
    first.term()
    until(lambda: len(project.marks("finished")) == 30, "the other worker handles them", SOON)
    project.mark("release", "all")
    assert first.wait() == 0
    second.stop()
    assert project.marks("finished") == sorted([*[f"h{n}.1" for n in range(30)], "block0.1", "block1.1"])


def test_second_interrupt_forces(project: Project) -> None:
    """The second INT ends the process at once, without 0, and the message is not lost."""
    project.configure(transport="lease = 2")
    hold(project, "stuck")
    worker = project.consume()
    until(lambda: project.marks("started"), "the handler runs")
    worker.signal(signal.SIGINT)
    worker.until_logged("stopping")
    assert worker.running
    forced = time.monotonic()
    worker.signal(signal.SIGINT)
    assert worker.wait() != 0
    assert time.monotonic() - forced < SOON
    project.mark("release", "all")
    project.consume()
    until(
        lambda: project.marks("finished") == ["stuck.1"], "another worker handles it when the lease is over"
    )


def test_thread_that_never_ends_does_not_keep_the_process(project: Project) -> None:
    """A plain function that is deaf to cancellation does not keep a stopping worker beyond the graceful timeout."""
    project.configure(transport="lease = 2")
    project.send("Block", name="deaf")
    worker = project.consume("--graceful-timeout", "1")
    until(lambda: project.marks("started") == ["deaf.1"], "the handler runs")
    asked = time.monotonic()
    worker.term()
    assert worker.wait() == 0
    assert time.monotonic() - asked < SOON
    project.mark("release", "deaf")
    project.consume()
    until(lambda: project.marks("finished") == ["deaf.1"], "the next worker handles it as attempt 1")


def test_term_while_nothing_runs(project: Project) -> None:
    """An idle worker, an intake and both in one process end with 0 soon after TERM."""
    for process in (project.consume(), project.serve().process, project.serve(verb="run").process):
        assert process.stop() < SOON


def test_term_answers_who_waits_for_a_command(project: Project) -> None:
    """The intake ends at once, and a client that waits over HTTP or by ``send --wait`` gets the status as it stands."""
    intake = project.serve()
    command_id = intake.accepted("Hold", name="waited")
    sender = project.start("send", "Hold", "name=sent", "--wait", "50", "--json")
    until(lambda: project.waiting() == 2, "both are sent")
    with ThreadPoolExecutor(1) as threads:
        status = threads.submit(intake.status, command_id, 50)
        stays(lambda: not status.done(), "it waits", 0.5)
        sender.term()
        assert intake.process.stop() < SOON
        assert status.result()["status"] == "accepted"
    assert sender.wait() == 1
    assert '"status": "accepted"' in sender.log
    assert "is not done yet: accepted" in sender.log
