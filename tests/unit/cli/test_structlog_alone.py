"""A process of the command line does without rich until something is drawn on a terminal."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from worker.cli.structlog_alone import import_structlog
import_structlog()
import_structlog()
import structlog
from worker.cli.logging import configure
configure("info", "text")
try:
    raise ValueError("told")
except ValueError:
    structlog.stdlib.get_logger("here").exception("wrong")
print([name for name in sys.modules if name.partition(".")[0] == "rich"])
import rich.table
"""

COMMAND = """
import sys
from worker.cli.main import main
sys.argv = ["worker", "debug", "--help"]
main()
print([name for name in sys.modules if name.partition(".")[0] == "rich"])
"""


def test_logs_need_no_rich():
    """Text with a traceback is written without it, and it can still be imported afterwards."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
    assert "ValueError: told" in done.stderr


def test_no_command_begins_with_rich():
    """Nothing that is imported before structlog brings it."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
