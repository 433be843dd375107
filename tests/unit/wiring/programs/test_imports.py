"""A program brings in what it needs and nothing that only another needs: that is its memory and the time of its start."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVER = ("starlette", "uvicorn", "worker.http", "worker.wiring.serving.intake", "watchfiles")
DRIVERS = ("pamqp", "aiokafka", "asyncpg")


@pytest.mark.parametrize(
    ("program", "absent"), [("consume", (*SERVER, *DRIVERS)), ("serve", DRIVERS), ("run", DRIVERS)]
)
def test_a_program_brings_in_no_more_than_it_needs(program, absent):
    """A worker loads no HTTP server; no program loads a broker's driver before it is configured."""
    code = (
        f"import sys, worker.cli.program, worker.cli.commands.{program}, worker.wiring.programs.{program}\n"
        f"print([name for name in {absent!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
