"""What becomes of one process that HUP has stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from worker.runtime.process.beginning import Beginning
from worker.runtime.process.renewal import renew
from worker.runtime.process.supervisor import command_line


def renewed(*, environment: dict[str, str] | None = None, terminal: bool = False) -> list[list[str]]:
    made: list[list[str]] = []
    code = renew(
        ["consume", "-c", "4"],
        Beginning(None, environment or {}),
        terminal=lambda: terminal,
        replace=lambda _, command, __: made.append(command),
        block=lambda *_: None,
    )
    assert code == 0
    return made


def test_one_process_is_started_anew() -> None:
    """The same command line takes the process's place."""
    assert renewed() == [command_line(["consume", "-c", "4"])]


@pytest.mark.parametrize(
    "case", [{"environment": {"WORKER_SUPERVISED": "1"}}, {"terminal": True}], ids=["supervised", "terminal"]
)
def test_who_is_to_end_ends(case: dict[str, object]) -> None:
    """A supervisor starts the next by itself; on a terminal HUP says that the terminal is gone."""
    assert renewed(**case) == []  # type: ignore[arg-type]  # the cases are this function's own keywords


def test_it_begins_as_this_one_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder and with the environment of the start, which handlers may have changed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP", "open")
    beginning = Beginning.now()
    os.chdir(elsewhere)
    elsewhere.rmdir()
    monkeypatch.delenv("SHOP")
    seen: list[tuple[Path, Mapping[str, str]]] = []
    renew(
        [],
        beginning,
        terminal=lambda: False,
        replace=lambda _, __, environment: seen.append((Path.cwd(), environment)),
        block=lambda *_: None,
    )
    ((folder, environment),) = seen
    assert folder == tmp_path
    assert environment["SHOP"] == "open"


def test_a_folder_that_is_gone_at_the_start_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one that is gone at the end."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    there = Beginning.now()
    gone.rmdir()
    assert Beginning.now().folder is None
    there.go_back()
    Beginning.now().go_back()


def test_a_further_hup_waits_for_the_fresh_process() -> None:
    """It neither ends it while it starts, nor is it lost."""
    program = (
        "import asyncio, os, signal, sys\n"
        "from worker.runtime.process.beginning import Beginning\n"
        "from worker.runtime.process.renewal import renew\n"
        "from worker.runtime.process.signals import stop_signals\n"
        "if len(sys.argv) < 2:\n"
        "    fresh = lambda *_: os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], 'fresh'])\n"
        "    renew([], Beginning(None, {}), terminal=lambda: False, replace=fresh)\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "async def main():\n"
        "    heard = asyncio.Event()\n"
        "    with stop_signals(lambda name: heard.set(), lambda: None):\n"
        "        await asyncio.wait_for(heard.wait(), 10)\n"
        "asyncio.run(main())\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 0
