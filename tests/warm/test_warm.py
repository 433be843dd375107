"""What is forked from a warm interpreter does what a start of Python does."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import Process, environment
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.warm.interpreter import ASK, POSSIBLE, Started, interpreter

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not POSSIBLE, reason="nothing can be forked here")]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.configure()
    return made


@pytest.mark.parametrize("arguments", [("chek",), ("check",), ("send", "Note", "number=x"), ()])
def test_a_command_ends_as_one_that_begins_by_itself(project: Project, arguments: tuple[str, ...]) -> None:
    warm = project.cli(*arguments)
    cold = subprocess.run(
        [sys.executable, "-m", "worker", *arguments],
        cwd=project.folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (warm.returncode, warm.stdout, warm.stderr) == (cold.returncode, cold.stdout, cold.stderr)


def test_standard_input_is_read(project: Project) -> None:
    assert project.cli("send", "--ndjson", "-", stdin='{"type": "Note"').stderr


def test_nothing_of_one_is_left_for_the_next(project: Project) -> None:
    wrong = {"WORKER_APP": "tests.e2e.nowhere:app"}
    assert project.cli("check", extra=wrong).returncode == 2
    assert project.cli("check").returncode == 1


def test_one_that_ends_at_once_is_heard_to_its_end() -> None:
    """Its number and its exit code may come together, and the line be closed behind them."""
    asking, answering = socket.socketpair()
    answering.sendall(b"12\n1\n")
    answering.close()
    assert Started(asking).wait(1.0) == 1


def test_a_signal_ends_it_as_any_process(tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "worker.toml").write_text('app = "tests.e2e.app:app"\n')
    process = Process(["serve", "--port", "0"], tmp_path, log, None, interpreter())
    process.until_logged("intake listens")
    assert process.running
    process.term()
    assert process.wait() == 0
    killed = Process(["serve", "--port", "0"], tmp_path, log, None, interpreter())
    killed.kill()
    assert killed.wait() == -signal.SIGKILL


def test_nothing_stays_of_a_run_that_is_killed(project: Project, tmp_path: Path) -> None:
    """A process whose asker is gone has no other process that would end it."""
    warm = interpreter()
    assert warm is not None
    log = tmp_path / "log"
    with log.open("w") as output:
        asker = subprocess.Popen(
            [sys.executable, "-IS", str(ASK), warm.path, "serve", "--port", "0"],
            cwd=project.folder,
            env=environment(),
            stdout=output,
            stderr=output,
        )
    until(lambda: "intake listens" in log.read_text(), "it listens")
    (found,) = re.findall(r"127\.0\.0\.1:(\d+)", log.read_text())
    asker.kill()
    asker.wait()
    until(lambda: not _listens(int(found)), "it has ended")


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_a_shell_gets_its_output_and_its_code(project: Project) -> None:
    warm = interpreter()
    assert warm is not None
    script = f'"{sys.executable}" -IS "{ASK}" "{warm.path}" chek 2>&1 | grep -c "no such command"; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", script], cwd=project.folder, env=environment(), capture_output=True, text=True
    )
    assert done.stdout.split() == ["1", "2"]


_LAST_WORDS = """
import atexit, sys, threading, time
from tests.warm.server import leave

class Cycle:
    def __init__(self):
        self.itself = self
    def __del__(self):
        print("collected")

def later():
    time.sleep(0.2)
    print("thread", end=" ")

Cycle()
atexit.register(print, "registered")
threading.Thread(target=later).start()
print("unflushed", end=" ")
{end}(3)
"""


def test_its_last_words_are_those_of_any_process() -> None:
    said = []
    for end in ("sys.exit", "leave"):
        code = [sys.executable, "-c", _LAST_WORDS.format(end=end)]
        done = subprocess.run(code, env=environment(), capture_output=True, text=True)
        said.append((done.returncode, done.stderr, sorted(done.stdout.split())))
    assert said[0] == said[1] == (3, "", ["collected", "registered", "thread", "unflushed"])


@pytest.mark.parametrize("end", ["sys.exit", "leave"])
def test_what_cannot_be_written_at_the_end_is_told(end: str) -> None:
    code = f"import sys; from tests.warm.server import leave; print('x'); {end}(0); sys.exit(0)"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment({"PYTHONUNBUFFERED": ""}),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 120
    assert "No space left" in done.stderr


def test_it_ends_with_the_process_that_started_it() -> None:
    code = "from tests.warm.interpreter import Interpreter; print(Interpreter().pid)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pid = int(done.stdout)
    until(lambda: not os.path.exists(f"/proc/{pid}"), "it is gone")
