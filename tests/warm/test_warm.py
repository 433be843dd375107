"""What is forked from a warm interpreter does what a start of Python does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import Process, environment
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.warm.interpreter import ASK, POSSIBLE, interpreter

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not POSSIBLE, reason="nothing can be forked here")]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.configure()
    return made


@pytest.mark.parametrize("arguments", [("chek",), ("check",), ("send", "Note", "number=x"), ()])
def test_a_command_ends_as_one_that_begins_by_itself(project: Project, arguments: tuple[str, ...]) -> None:
    warm = project.cli(*arguments)
    project.warm = False
    cold = project.cli(*arguments)
    assert (warm.returncode, warm.stdout, warm.stderr) == (cold.returncode, cold.stdout, cold.stderr)


def test_standard_input_is_read(project: Project) -> None:
    assert project.cli("send", "--ndjson", "-", stdin='{"type": "Note"').stderr


def test_nothing_of_one_is_left_for_the_next(project: Project) -> None:
    wrong = {"WORKER_APP": "tests.e2e.nowhere:app"}
    assert project.cli("check", extra=wrong).returncode == 2
    assert project.cli("check").returncode == 1


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


def test_a_shell_gets_its_output_and_its_code(project: Project) -> None:
    warm = interpreter()
    assert warm is not None
    script = f'"{sys.executable}" -IS "{ASK}" "{warm.path}" chek 2>&1 | grep -c "no such command"; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", script], cwd=project.folder, env=environment(), capture_output=True, text=True
    )
    assert done.stdout.split() == ["1", "2"]


def test_it_ends_with_the_process_that_started_it() -> None:
    code = "from tests.warm.interpreter import Interpreter; print(Interpreter().pid)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pid = int(done.stdout)
    until(lambda: not os.path.exists(f"/proc/{pid}"), "it is gone")
