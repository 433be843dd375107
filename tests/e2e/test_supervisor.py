"""``-w N``: processes that are restarted when they die, replaced one by one on HUP, and stopped together."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.e2e.processes import ROOT, Process, environment
from tests.e2e.project import Project
from tests.e2e.waiting import SOON, until
from worker.runtime.process.supervisor import command_line

pytestmark = [pytest.mark.e2e, pytest.mark.fault]


def fleet(project: Project, *arguments: str) -> tuple[Process, set[int]]:
    """A supervisor whose three processes are all alive, and their process ids."""
    supervisor = project.start("consume", "-w", "3", *arguments)
    return supervisor, until(lambda: alive(project, supervisor), "three workers report")


def alive(project: Project, supervisor: Process, but: frozenset[int] = frozenset()) -> set[int] | None:
    """The children, once there are three, each has reported to the fleet, and none of them is one of ``but``."""
    pids = set(supervisor.children())
    reported = {pid for (pid,) in project.rows("SELECT pid FROM worker_workers")}
    return pids if len(pids) == 3 and pids <= reported and not pids & but else None


def test_killed_child_is_restarted(project: Project) -> None:
    """A child that was killed is replaced, its message is handled, and TERM stops all with 0."""
    supervisor, pids = fleet(project)
    project.send("Deposit", "number:=1", "before:=-1")
    mark = until(lambda: project.marks("busy"), "the handler runs")[0]
    victim = int(mark.split(".")[0])
    assert victim in pids
    os.kill(victim, signal.SIGKILL)
    project.mark("release", "all")
    again = until(lambda: alive(project, supervisor, frozenset({victim})), "the fleet is three again")
    assert len(again - pids) == 1
    until(lambda: project.rows("SELECT number FROM deposits") == [(1,)], "another worker handles its message")
    assert supervisor.stop() < SOON
    for pid in again:
        assert not os.path.exists(f"/proc/{pid}")


def test_hup_replaces_all_without_losing_a_message(project: Project) -> None:
    """HUP under load replaces each process, all three places are filled at any time, each message is handled once."""
    supervisor, pids = fleet(project, "-c", "4")
    project.send_many(*[("Deposit", {"number": number, "before": 0.05}) for number in range(600)])
    supervisor.signal(signal.SIGHUP)
    fewest = 3

    def rolled() -> bool:
        nonlocal fewest
        fewest = min(fewest, len(supervisor.children()))
        return alive(project, supervisor, frozenset(pids)) is not None

    until(rolled, "all three are new")
    assert fewest >= 3, f"only {fewest} processes at a time"
    project.until_empty()
    assert sorted(number for (number,) in project.rows("SELECT number FROM deposits")) == list(range(600))
    assert {attempt for (attempt,) in project.rows("SELECT attempt FROM deposits")} == {1}
    assert "lease lost" not in supervisor.log
    assert supervisor.stop() < SOON


def test_hup_with_a_broken_configuration_ends_nobody(project: Project) -> None:
    """New processes that cannot start take no place: the old ones go on, and are replaced once it is mended."""
    supervisor, pids = fleet(project)
    file = project.folder / "worker.toml"
    good = file.read_text()
    file.write_text(good.replace("tests.e2e.app:app", "tests.e2e.nowhere:app"))
    supervisor.signal(signal.SIGHUP)
    until(lambda: "does not work; the others stay" in supervisor.log, "it is noticed")
    assert set(supervisor.children()) == pids
    file.write_text(good)
    project.send("Deposit", "number:=1")
    until(lambda: project.rows("SELECT number FROM deposits") == [(1,)], "the old ones work")
    supervisor.signal(signal.SIGHUP)
    until(lambda: alive(project, supervisor, frozenset(pids)), "all three are new")
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


def test_processes_outlive_a_killed_supervisor_only_to_finish(project: Project) -> None:
    """When the supervisor is killed its processes finish what they run and end: nobody is left to stop them."""
    supervisor, pids = fleet(project, "-c", "1")
    project.send("Hold", "name=h1")
    until(lambda: project.marks("started") == ["h1.1"], "it runs")
    supervisor.kill()
    project.mark("release", "all")
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the processes are gone")
    assert project.marks("finished") == ["h1.1"]
    assert project.waiting() == 0


def test_processes_notice_a_supervisor_that_died_at_once(project: Project) -> None:
    """Also one that was killed before they had looked for it: nobody works on unseen."""
    supervisor = project.start("consume", "-w", "2")
    pids = until(lambda: len(supervisor.children()) == 2 and supervisor.children(), "both are started")
    supervisor.kill()
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the processes are gone")


def test_modules_of_our_names_in_the_folder_are_not_taken_for_ours(project: Project) -> None:
    """Supervisor and children load the installed packages, whatever lies in the folder or is first on the path."""
    project.send("Note", number=1)
    for name in ("worker", "transports"):
        (project.folder / name).mkdir()
        (project.folder / name / "__init__.py").write_text("raise SystemExit(0)")
    done = subprocess.run(
        command_line(["consume", "-w", "2", "--burst"]),
        cwd=project.folder,
        env=environment({"PYTHONPATH": f"{project.folder}:{ROOT}"}),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert len(project.lines("notes")) == 1


def test_term_to_the_supervisor_lets_children_finish(project: Project) -> None:
    """TERM to the supervisor lets every child finish what it runs."""
    project.configure(transport="lease = 60")
    supervisor, _ = fleet(project, "-c", "1")
    project.send_many(*[("Hold", {"name": f"h{number}"}) for number in range(9)])
    until(lambda: len(project.marks("started")) == 3, "each runs one")
    running = project.marks("started")
    supervisor.term()
    until(lambda: supervisor.log.count('"stopping"') >= 3, "all children are stopping")
    project.mark("release", "all")
    assert supervisor.wait() == 0
    assert project.marks("finished") == running
    assert project.waiting() == 6


def test_wrong_configuration_ends_the_supervisor(project: Project) -> None:
    """A fault that no restart can mend ends the supervisor with the children's exit code."""
    blocked = project.folder / "file"
    blocked.touch()
    project.configure(more="")
    text = (project.folder / "worker.toml").read_text().replace("var/queue.db", "file/queue.db")
    (project.folder / "worker.toml").write_text(text)
    assert project.start("consume", "-w", "2").wait() == 3


def test_burst_with_several_processes(project: Project) -> None:
    """``-w 3 --burst`` handles everything once and ends with 0."""
    project.send_many(*[("Deposit", {"number": number}) for number in range(60)])
    assert project.start("consume", "-w", "3", "--burst").wait() == 0
    assert sorted(number for (number,) in project.rows("SELECT number FROM deposits")) == list(range(60))
    assert project.waiting() == 0
