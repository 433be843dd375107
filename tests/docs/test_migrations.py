"""What the page about migrations keeps from Alembic is all that the product has in a database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, blocks
from transports.postgres import schema
from worker.state.database import Database


@pytest.fixture
def include_name() -> Callable[[str, str, object], bool]:
    (block,) = blocks(DOCS / "how-to" / "migrations.md", "python")
    found: dict[str, Callable[[str, str, object], bool]] = {}
    exec(block.text, found)
    return found["include_name"]


async def test_tables_of_the_state_are_left_out(
    include_name: Callable[[str, str, object], bool], tmp_path: Path
) -> None:
    database = Database("sqlite:///state.db", base=tmp_path)
    await database.connect(10.0)
    await database.setup()
    await database.close()
    with sqlite3.connect(tmp_path / "state.db") as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith("sqlite_")  # SQLite's own
        ]
    assert len(names) > 20
    assert [name for name in names if include_name(name, "table", {})] == []
    assert include_name("books", "table", {})


def test_tables_of_the_transport_are_left_out(include_name: Callable[[str, str, object], bool]) -> None:
    text = Path(schema.__file__).read_text(encoding="utf-8")
    names = set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", text))
    assert len(names) > 3
    assert [name for name in names if include_name(name, "table", {})] == []
