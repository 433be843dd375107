"""Statements: one text for both databases, which both understand; a worker needs nothing but the text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.unit.state.statements import STATEMENTS
from worker.state.statement import Sql, Statement

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


def test_a_parameter_is_numbered_for_postgresql_and_in_its_place_for_sqlite():
    """However often it stands there; line ends and indentation do not count."""
    made = Statement("""
        UPDATE t SET a = :a, b = :b
        WHERE a <> :a
    """)
    assert made.postgresql == Sql("UPDATE t SET a = $1, b = $2 WHERE a <> $1", ("a", "b"))
    assert made.sqlite == Sql("UPDATE t SET a = ?, b = ? WHERE a <> ?", ("a", "b", "a"))


def test_what_sqlite_says_otherwise_is_translated():
    """Lists are JSON, types are not told, and rows need no lock of their own."""
    made = Statement("SELECT a FROM t WHERE a = ANY (:list) AND (:b::text IS NULL OR b = :b) FOR UPDATE")
    assert (
        made.postgresql.text
        == "SELECT a FROM t WHERE a = ANY ($1) AND ($2::text IS NULL OR b = $2) FOR UPDATE"
    )
    assert made.sqlite.text == (
        "SELECT a FROM t WHERE a IN (SELECT value FROM json_each(?)) AND (? IS NULL OR b = ?)"
    )


def test_a_statement_that_is_another_one_on_sqlite_has_a_text_for_that():
    """Both stand in one place, with the same names."""
    made = Statement("SELECT now() - :a", sqlite="SELECT unixepoch() - :a")
    assert made.postgresql == Sql("SELECT now() - $1", ("a",))
    assert made.sqlite == Sql("SELECT unixepoch() - ?", ("a",))


async def test_the_database_understands_every_statement(database):
    """Tables and columns are there, and the type of each parameter can be told."""
    async with database.begin_read() as transaction:
        for name, statement in STATEMENTS.items():
            try:
                if database.is_sqlite:
                    sql = statement.sqlite
                    await transaction._fetch(f"EXPLAIN {sql.text}", (None,) * len(sql.names))
                else:
                    await transaction.connection.prepare(statement.postgresql.text)
            except Exception as error:
                error.add_note(name)
                raise


@pytest.mark.slow
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
