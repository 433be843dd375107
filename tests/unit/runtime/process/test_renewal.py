"""What becomes of one process that HUP has stopped."""

from __future__ import annotations

import subprocess
import sys

import pytest

from worker.runtime.process.renewal import renew
from worker.runtime.process.supervisor import command_line


def renewed(*, environment: dict[str, str] | None = None, terminal: bool = False) -> list[list[str]]:
    made: list[list[str]] = []
    code = renew(
        ["consume", "-c", "4"],
        environment=environment or {},
        terminal=lambda: terminal,
        replace=lambda _, command: made.append(command),
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


def test_a_further_hup_waits_for_the_fresh_process() -> None:
    """It neither ends it while it starts, nor is it lost."""
    program = (
        "import asyncio, os, signal, sys\n"
        "from worker.runtime.process.renewal import renew\n"
        "from worker.runtime.process.signals import stop_signals\n"
        "if len(sys.argv) < 2:\n"
        "    fresh = lambda *_: os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], 'fresh'])\n"
        "    renew([], environment={}, terminal=lambda: False, replace=fresh)\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "async def main():\n"
        "    heard = asyncio.Event()\n"
        "    with stop_signals(lambda name: heard.set(), lambda: None):\n"
        "        await asyncio.wait_for(heard.wait(), 10)\n"
        "asyncio.run(main())\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 0
