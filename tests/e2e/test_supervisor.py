"""``-w N``: processes that are restarted when they die, replaced one by one on HUP, and stopped together."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.e2e.processes import ROOT, Process, environment
from tests.e2e.project import Project
from tests.e2e.waiting import PATIENCE, SOON, until
from worker.runtime.process.supervisor import command_line

pytestmark = [pytest.mark.e2e, pytest.mark.fault]


LOAD = 400
"""Messages that last while all processes are replaced, on a machine with little to do, too."""
COUNT = 2
"""Processes of a fleet: the second one is as good as a third. Each start costs a second of processor time."""


def fleet(project: Project, *arguments: str) -> tuple[Process, set[int]]:
    """A supervisor whose processes are all alive, and their process ids."""
    supervisor = project.start("consume", "-w", str(COUNT), *arguments)
    return supervisor, until(lambda: alive(project, supervisor), "all workers report")


def alive(project: Project, supervisor: Process, but: frozenset[int] = frozenset()) -> set[int] | None:
    """The children, once all are there, each has reported to the fleet, and none of them is one of ``but``."""
    pids = set(supervisor.children())
    reported = {pid for (pid,) in project.rows("SELECT pid FROM worker_workers")}
    return pids if len(pids) == COUNT and pids <= reported and not pids & but else None


def until_gone(pids: set[int]) -> None:
    """Wait for the end of processes that are not waited for."""
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the processes are gone")


def test_a_killed_child_is_restarted_and_a_killed_supervisor_lets_its_children_finish(
    project: Project,
) -> None:
    """A child's message is handled by another; without a supervisor nothing could stop them, so they finish and end."""
    supervisor, pids = fleet(project, "-c", "1")
    project.send("Deposit", "number:=1", "before:=-1")
    mark = until(lambda: project.marks("busy"), "the handler runs")[0]
    victim = int(mark.split(".")[0])
    assert victim in pids
    os.kill(victim, signal.SIGKILL)
    project.mark("release", "1")
    again = until(lambda: alive(project, supervisor, frozenset({victim})), "the fleet is whole again")
    assert len(again - pids) == 1
    until(lambda: project.rows("SELECT number FROM deposits") == [(1,)], "another worker handles its message")
    project.send("Hold", "name=h1")
    until(lambda: project.marks("started") == ["h1.1"], "it runs")
    supervisor.kill()
    project.mark("release", "h1")
    until_gone(again)
    assert project.marks("finished") == ["h1.1"]
    assert project.waiting() == 0


def test_hup_replaces_all_without_losing_a_message(project: Project) -> None:
    """Under load each process is replaced, all places are filled at any time, each message is handled once.

    Before it, a HUP whose processes cannot start ends no process: the old ones go on, until it is mended.
    """
    project.configure(transport="lease = 30")  # which no busy machine lets run out
    supervisor, pids = fleet(project, "-c", "4")
    file = project.folder / "worker.toml"
    good = file.read_text()
    file.write_text(good.replace("tests.e2e.app:app", "tests.e2e.nowhere:app"))
    supervisor.signal(signal.SIGHUP)
    supervisor.until_logged("does not work; the others stay")
    assert set(supervisor.children()) == pids
    file.write_text(good)
    project.send("Deposit", "number:=0")
    until(lambda: project.rows("SELECT number FROM deposits") == [(0,)], "the old ones work")
    project.send_many(*[("Deposit", {"number": number, "before": 0.05}) for number in range(1, LOAD)])
    supervisor.signal(signal.SIGHUP)
    fewest = COUNT

    def rolled() -> bool:
        nonlocal fewest
        fewest = min(fewest, len(supervisor.children()))
        return alive(project, supervisor, frozenset(pids)) is not None

    until(rolled, "all are new")
    assert fewest >= COUNT, f"only {fewest} processes at a time"
    project.until_empty()
    assert sorted(number for (number,) in project.rows("SELECT number FROM deposits")) == list(range(LOAD))
    assert {attempt for (attempt,) in project.rows("SELECT attempt FROM deposits")} == {1}
    assert "lease lost" not in supervisor.log
    assert supervisor.stop() < SOON


def test_hup_renews_a_process_without_supervisor(project: Project) -> None:
    """HUP lets one process alone finish what it runs and start anew under the same process id."""
    worker = project.start("consume", "-c", "1")
    project.send("Hold", "name=h1")
    until(lambda: project.marks("started") == ["h1.1"], "it runs")
    worker.signal(signal.SIGHUP)
    until(lambda: '"stopping"' in worker.log, "it is stopping")
    project.mark("release", "all")
    until(lambda: worker.log.count('"worker started"') == 2, "it has started anew")
    project.send("Hold", "name=h2")
    until(lambda: project.marks("finished") == ["h1.1", "h2.1"], "it works")
    worker.stop()


def test_processes_notice_a_supervisor_that_died_at_once(project: Project) -> None:
    """Also one that was killed before they had looked for it: no process works on unseen."""
    supervisor = project.start("consume", "-w", "2")
    pids = until(lambda: len(supervisor.children()) == 2 and supervisor.children(), "both are started")
    supervisor.kill()
    until_gone(set(pids))


def test_burst_with_several_processes_whatever_modules_are_in_the_folder(project: Project) -> None:
    """Everything is handled once, and the end is 0; all load the installed packages, whatever is first on the path."""
    project.send_many(*[("Deposit", {"number": number}) for number in range(60)])
    for name in ("worker", "transports"):
        (project.folder / name).mkdir()
        (project.folder / name / "__init__.py").write_text("raise SystemExit(0)")
    done = subprocess.run(
        command_line(["consume", "-w", "2", "--burst"]),
        cwd=project.folder,
        env=environment({"PYTHONPATH": f"{project.folder}:{ROOT}"}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(number for (number,) in project.rows("SELECT number FROM deposits")) == list(range(60))
    assert project.waiting() == 0


def test_term_to_the_supervisor_lets_children_finish(project: Project) -> None:
    """TERM to the supervisor lets every child finish what it runs, and ends all with 0."""
    project.configure(transport="lease = 60")
    supervisor, pids = fleet(project, "-c", "1")
    project.send_many(*[("Hold", {"name": f"h{number}"}) for number in range(9)])
    until(lambda: len(project.marks("started")) == COUNT, "each runs one")
    running = project.marks("started")
    supervisor.term()
    until(lambda: supervisor.log.count('"stopping"') >= COUNT, "all children are stopping")
    project.mark("release", "all")
    assert supervisor.wait() == 0
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    assert project.marks("finished") == running
    assert project.waiting() == 9 - COUNT


def test_wrong_configuration_ends_the_supervisor(project: Project) -> None:
    """A fault that no restart can mend ends the supervisor with the children's exit code."""
    blocked = project.folder / "file"
    blocked.touch()
    project.configure(more="")
    text = (project.folder / "worker.toml").read_text().replace("var/queue.db", "file/queue.db")
    (project.folder / "worker.toml").write_text(text)
    assert project.start("consume", "-w", "2").wait() == 3
