"""The statements as text are what those written with SQLAlchemy mean, and a worker needs nothing but the text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from worker.state.statements.compiled import FOLDER, STORES, module

HEAVY = ("rich", "sqlalchemy", "starlette", "uvicorn")

PROGRAM = """
import asyncio, pathlib, sys, uuid
from worker.cli.structlog_alone import import_structlog
import_structlog()
import worker.cli.commands.consume, worker.wiring.programs.consume, transports.rabbitmq.transport
from worker.state.database import Database
from worker.state.inbox import Inbox
from worker.state.outbox import Outbox
from worker.state.unit_of_work import SqlUnitsOfWork

async def main():
    database = Database("sqlite:///state.db", base=pathlib.Path(sys.argv[1]))
    await database.connect()
    await database.setup()
    work = SqlUnitsOfWork(database, Inbox(database)).open(uuid.uuid4().hex, "h")
    assert await work.begin() and await work.commit([])
    await Outbox(database).claim("w1", 10, 30.0)
    await database.close()

asyncio.run(main())
print(*sorted(name for name in sys.modules if "." not in name))
"""


@pytest.mark.parametrize("store", STORES)
def test_the_text_is_made_anew_after_a_change(store):
    """Run `python -m worker.state.statements` when this fails."""
    assert (FOLDER / f"{store}.py").read_text() == module(store)


def test_every_text_has_its_source():
    """No module is left over whose statements are gone."""
    assert {path.stem for path in FOLDER.glob("*.py")} == {"__init__", *STORES}


def test_a_worker_whose_tables_are_there_loads_no_sqlalchemy(tmp_path):
    """Nor anything else of weight that it does not use: consuming starts without."""
    first = run(tmp_path)
    assert "sqlalchemy" in first  # it made the tables
    assert set(run(tmp_path)).isdisjoint(HEAVY)


def run(folder) -> list[str]:
    """The packages that the program has loaded in the end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()
