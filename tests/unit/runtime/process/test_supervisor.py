"""The supervisor, with real processes: restarts, their pauses, and how everything ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from worker.runtime.process import readiness
from worker.runtime.process import supervisor as module
from worker.runtime.process.supervisor import Supervisor, command_line

pytestmark = pytest.mark.slow

DEADLINE = 20.0

STAYS = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); note('up'); time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); note('up'); time.sleep(60)"


class Fleet:
    """A supervisor over a script that notes its starts in a file."""

    def __init__(
        self, folder: Path, script: str, count: int = 1, graceful: float = 5.0, **options: Any
    ) -> None:
        self.notes = folder / "notes"
        self.notes.touch()
        self.ready = folder / "ready"
        self.ready.touch()
        head = (
            "import os, runpy\n"  # the file alone: the package would take most of each start
            f"readiness = runpy.run_path({readiness.__file__!r})\n"
            "tell_end, tell_ready = readiness['tell_end'], readiness['tell_ready']\n"
            "def leave(code):\n"
            "    tell_end()\n"
            "    os._exit(code)\n"
            "def note(what):\n"
            f"    with open({str(self.notes)!r}, 'a') as notes:\n"
            "        notes.write(f'{what} {os.getpid()} {os.environ[\"WORKER_SUPERVISED\"]}\\n')\n"
            "    if what == 'up':\n"  # noted before it is told: what follows from that is noted after it
            "        tell_ready()\n"
            f"        with open({str(self.ready)!r}, 'a') as ready:\n"
            "            ready.write('.')\n"
        )
        self.supervisor = Supervisor([sys.executable, "-c", head + script], count, graceful, **options)

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.notes.read_text().splitlines()]

    def pids(self) -> list[int]:
        return [int(line[1]) for line in self.lines() if line[0] == "up"]

    def run(self, *steps: Callable[[], None]) -> int:
        """Run it while another thread takes the steps."""
        faults: list[BaseException] = []

        def drive() -> None:
            try:
                for step in steps:
                    step()
            except BaseException as error:
                faults.append(error)
                os.kill(os.getpid(), signal.SIGTERM)

        driver = threading.Thread(target=drive)
        driver.start()
        try:
            return self.supervisor.run()
        finally:
            driver.join()
            assert not faults, faults

    def started(self, count: int) -> Callable[[], None]:
        """A step: wait until so many were started, and have said that they are ready."""
        return lambda: until(lambda: len(self.ready.read_text()) >= count)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def sends(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "_POLL", 0.01)
    monkeypatch.setattr(module, "FIRST_BACK_OFF", 0.02)
    kept = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    yield
    found = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    assert found == kept


def test_term_ends_all(tmp_path: Path) -> None:
    """TERM is passed on; when every process has ended, the exit code is 0 and none is left."""
    fleet = Fleet(tmp_path, STAYS, count=3)
    assert fleet.run(fleet.started(3), sends(signal.SIGTERM)) == 0
    assert sorted(line[2] for line in fleet.lines()) == ["1", "2", "3"]
    assert not any(alive(pid) for pid in fleet.pids())


def test_a_second_interrupt_forces(tmp_path: Path) -> None:
    """The second INT does not wait for the graceful timeout; the exit code is 1."""
    fleet = Fleet(tmp_path, DEAF, count=2, graceful=60.0)
    assert (
        fleet.run(fleet.started(2), sends(signal.SIGINT), lambda: time.sleep(0.05), sends(signal.SIGINT)) == 1
    )
    assert not any(alive(pid) for pid in fleet.pids())


def test_who_does_not_end_is_killed(tmp_path: Path) -> None:
    """A process that is deaf to TERM is killed once the graceful timeout and a little more are over."""
    fleet = Fleet(tmp_path, DEAF, graceful=-1.7)
    assert fleet.run(fleet.started(1), sends(signal.SIGTERM)) == 0
    assert not any(alive(pid) for pid in fleet.pids())


def test_one_that_fails_is_started_again_after_a_growing_pause(tmp_path: Path) -> None:
    """Each failure in a row doubles the pause before the next start."""
    now = [0.0]
    fleet = Fleet(tmp_path, "note('up'); os._exit(1)", now=lambda: now[0])
    (child,) = fleet.supervisor._children
    pauses = []
    for _ in range(4):
        fleet.supervisor._look_after(child)
        assert child.process is not None
        child.process.wait()
        fleet.supervisor._look_after(child)
        pauses.append(child.due - now[0])
        fleet.supervisor._look_after(child)
        assert child.process is None
        now[0] = child.due
    assert pauses == pytest.approx([0.02, 0.04, 0.08, 0.16])
    assert len(fleet.pids()) == 4


def test_one_that_reached_a_limit_is_replaced_at_once(tmp_path: Path) -> None:
    """Exit code 0 after it came to work is no failure: a fresh process takes its place."""
    fleet = Fleet(tmp_path, "note('up'); leave(0)")
    assert fleet.run(fleet.started(3), sends(signal.SIGTERM)) == 0


@pytest.mark.parametrize("code", [0, 1])
def test_one_that_ends_before_it_works_is_started_again_after_a_growing_pause(
    tmp_path: Path, code: int
) -> None:
    """Whatever its exit code: 0 alone does not say that a limit was reached."""
    now = [0.0]
    fleet = Fleet(tmp_path, f"note('began'); os._exit({code})", now=lambda: now[0])
    (child,) = fleet.supervisor._children
    pauses = []
    for _ in range(3):
        fleet.supervisor._look_after(child)
        assert child.process is not None
        child.process.wait()
        fleet.supervisor._look_after(child)
        pauses.append(child.due - now[0])
        now[0] = child.due
    assert pauses == pytest.approx([0.02, 0.04, 0.08])


def test_children_are_told_who_supervises_them(tmp_path: Path) -> None:
    """They know the supervisor's number before it can be gone."""
    fleet = Fleet(
        tmp_path, "note('up' if os.environ['WORKER_PARENT'] == str(os.getppid()) else 'lost')\n" + STAYS
    )
    assert fleet.run(fleet.started(1), sends(signal.SIGTERM)) == 0
    assert "lost" not in [line[0] for line in fleet.lines()]


def test_once_is_over_when_all_are_done(tmp_path: Path) -> None:
    """With ``once``, a process that ends with 0 is not replaced, and the last one ends the supervisor."""
    fleet = Fleet(tmp_path, "note('up'); leave(0)", count=3, once=True)
    assert fleet.run() == 0
    assert len(fleet.pids()) == 3


@pytest.mark.parametrize("begun", ["", "note('up'); "], ids=["before it works", "at work"])
@pytest.mark.parametrize("code", [2, 3])
def test_what_a_restart_cannot_mend_ends_all(tmp_path: Path, code: int, begun: str) -> None:
    """Exit code 2 or 3 at once ends the others too and becomes the supervisor's own."""
    script = f"n = os.environ['WORKER_SUPERVISED']\nif n == '2': {begun}leave({code})\n{STAYS}"
    fleet = Fleet(tmp_path, script, count=2)
    assert fleet.run() == code
    assert not any(alive(pid) for pid in fleet.pids())


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("code", [0, 2, 3])
def test_the_exit_code_of_a_handler_ends_neither_the_fleet_nor_its_work(
    tmp_path: Path, code: int, once: bool
) -> None:
    """``os._exit`` in a handler is a death like any other, and its process is started again."""
    now = [0.0]
    fleet = Fleet(tmp_path, f"note('up'); os._exit({code})", now=lambda: now[0], once=once)
    (child,) = fleet.supervisor._children
    for _ in range(2):
        fleet.supervisor._look_after(child)
        assert child.process is not None
        child.process.wait()
        fleet.supervisor._look_after(child)
        assert child.finished is None
        assert child.died is not None
        assert child.due > now[0]
        now[0] = child.due


def test_a_later_start_that_fails_is_tried_again(tmp_path: Path) -> None:
    """What ends a first start does not end a place that has been filled: a database that is away comes back."""
    script = f"if len(open({str(tmp_path / 'notes')!r}).readlines()) in (1, 2): note('down'); os._exit(3)\n"
    fleet = Fleet(tmp_path, script + STAYS)
    steps = (
        fleet.started(1),
        lambda: os.kill(fleet.pids()[0], signal.SIGKILL),
        fleet.started(2),
        sends(signal.SIGTERM),
    )
    assert fleet.run(*steps) == 0
    assert [line[0] for line in fleet.lines()] == ["up", "down", "down", "up"]


ENDS = "import signal, time\ndef end(*_):\n    note('down')\n    os._exit(0)\nsignal.signal(signal.SIGTERM, end)\n"
BROKEN = "note('bad'); os._exit(1)"
MUTE = "signal.signal(signal.SIGTERM, signal.SIG_DFL); note('bad'); time.sleep(60)"


def ended(fleet: Fleet, count: int) -> Callable[[], None]:
    """A step: wait until so many have noted their end."""
    return lambda: until(lambda: [line[0] for line in fleet.lines()].count("down") >= count)


def test_hup_replaces_one_after_the_other(tmp_path: Path) -> None:
    """HUP ends a process only when its successor works, and goes on to the next one only then."""
    fleet = Fleet(tmp_path, f"{ENDS}note('up')\ntime.sleep(60)", count=2)
    steps = (fleet.started(2), sends(signal.SIGHUP), ended(fleet, 2), sends(signal.SIGTERM))
    assert fleet.run(*steps) == 0
    rolled = fleet.lines()[2:6]
    assert [(what, number) for what, _, number in rolled] == [
        ("up", "1"),
        ("down", "1"),
        ("up", "2"),
        ("down", "2"),
    ]
    assert {rolled[1][1], rolled[3][1]} == {pid for _, pid, _ in fleet.lines()[:2]}


@pytest.mark.parametrize("fault", [BROKEN, MUTE], ids=["broken", "mute"])
def test_hup_ends_nobody_whose_successor_does_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """New code that fails at its start, or never comes to work, takes no place; once it is mended, it does."""
    flag = tmp_path / "flag"
    script = f"{ENDS}if os.path.exists({str(flag)!r}):\n    {fault}\nnote('up')\ntime.sleep(60)"
    fleet = Fleet(tmp_path, script, count=2)
    monkeypatch.setattr(module, "READY", 2.0)
    before: list[str] = []

    def given_up() -> None:
        until(lambda: any(what == "bad" for what, _, _ in fleet.lines()))
        (bad,) = [int(pid) for what, pid, _ in fleet.lines() if what == "bad"]
        until(lambda: not alive(bad))
        before.extend(what for what, _, _ in fleet.lines())

    steps = (
        fleet.started(2),
        flag.touch,
        sends(signal.SIGHUP),
        given_up,
        flag.unlink,
        sends(signal.SIGHUP),
        ended(fleet, 2),
        sends(signal.SIGTERM),
    )
    assert fleet.run(*steps) == 0
    assert before == ["up", "up", "bad"]
    assert len(fleet.pids()) == 4


def test_others_are_looked_after_while_a_successor_starts(tmp_path: Path) -> None:
    """One that is killed meanwhile is started again at once, and TERM ends the successor, too."""
    flag = tmp_path / "flag"
    noted = f"note('bad' if os.path.exists({str(flag)!r}) else 'up')"
    fleet = Fleet(tmp_path, STAYS.replace("note('up')", noted), count=2)

    def kill_the_last() -> None:
        flag.touch()
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: any(what == "bad" for what, _, _ in fleet.lines()))
        flag.unlink()
        os.kill(next(int(pid) for _, pid, number in fleet.lines() if number == "2"), signal.SIGKILL)

    assert fleet.run(fleet.started(2), kill_the_last, fleet.started(3), sends(signal.SIGTERM)) == 0
    assert not any(alive(int(pid)) for _, pid, _ in fleet.lines())


def test_hup_leaves_alone_who_is_done(tmp_path: Path) -> None:
    """A place whose work is done (``once``) stays empty when the others are replaced."""
    script = f"n = os.environ['WORKER_SUPERVISED']\nif n == '1':\n    note('up'); leave(0)\n{STAYS}"
    fleet = Fleet(tmp_path, script, count=2, once=True)
    done = fleet.supervisor._children[0]
    steps = (
        fleet.started(2),
        lambda: until(lambda: done.finished == 0),
        sends(signal.SIGHUP),
        fleet.started(3),
        sends(signal.SIGTERM),
    )
    assert fleet.run(*steps) == 0
    assert [line[2] for line in fleet.lines()].count("1") == 1


def test_children_run_the_same_interpreter() -> None:
    """The command line is this interpreter's, running this very package by its file."""
    python, *options, program, verb = command_line(["consume"])
    assert (python, options, verb) == (sys.executable, ["-X", "utf8", "-P"], "consume")
    assert Path(program) == Path(module.__file__).parents[2] / "__main__.py"
