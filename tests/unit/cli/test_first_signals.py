"""The first step: signals are heeded before anything is imported."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import worker.__main__ as entry

SLOW = """
import os, signal
os.kill(os.getpid(), signal.{name})
print("went on", signal.SIGHUP in signal.sigpending(), flush=True)
os._exit(7)
"""


def started(tmp_path: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command whose application gets a signal while it is imported."""
    (tmp_path / "slow.py").write_text(SLOW.format(name=name))
    command = [sys.executable, "-P", str(Path(entry.__file__)), "-A", "slow:app", *arguments]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["run", "serve", "consume"])
def test_term_in_start_up_ends_a_program_in_order(tmp_path: Path, command: str) -> None:
    """While its application is imported, say: exit 0, nothing had begun."""
    done = started(tmp_path, "SIGTERM", command)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_hup_in_start_up_is_kept_for_later(tmp_path: Path) -> None:
    """It waits until the program takes signals, and starts it anew then."""
    done = started(tmp_path, "SIGHUP", "consume")
    assert (done.returncode, done.stdout) == (7, "went on True\n"), done.stderr


def test_commands_that_do_something_end_by_term_as_ever(tmp_path: Path) -> None:
    """With 0 they would say that they have done it."""
    assert started(tmp_path, "SIGTERM", "check").returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["consume"], "consume"),
        (["-A", "run", "check"], "check"),
        (["--app=run", "--json", "-l", "debug", "serve", "--port", "1"], "serve"),
        (["send", "run"], "send"),
        (["--version"], None),
        (["-A"], None),
    ],
)
def test_the_command_is_found_behind_global_options(words: list[str], command: str | None) -> None:
    """Which may have values."""
    assert entry.command_of(words) == command
