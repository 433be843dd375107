"""Compiles the statements of a store into a module of text."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql import ClauseElement

STORES = (
    "attempts",
    "breakers",
    "exclusive",
    "failures",
    "idempotency",
    "inbox",
    "outbox",
    "pauses",
    "schema",
    "statuses",
    "suspects",
    "workers",
)
"""Files of this folder that have statements; each makes one of the same name in ``FOLDER``."""

FOLDER = Path(__file__).parents[1] / "sql"

_DIALECTS: tuple[tuple[Any, Any], ...] = (
    (sqlite.dialect(paramstyle="qmark"), sqlite.insert),
    (asyncpg.dialect(), postgresql.insert),  # type: ignore[no-untyped-call]
)


def module(store: str) -> str:
    """Make the source of a store's module."""
    written = import_module(f"worker.state.statements.{store}")
    both = [
        {name: _sql(statement, dialect) for name, statement in written.statements(insert).items()}
        for dialect, insert in _DIALECTS
    ]
    lines = [
        f'"""Made from ``worker.state.statements.{store}`` by ``python -m worker.state.statements``: change it there."""',
        "",
        "from __future__ import annotations",
        "",
        "from worker.state.statement import Sql, Statement",
    ]
    for name in both[0]:
        lines += ["", f"{name} = Statement("]
        lines += [f"    Sql({text!r}, {names!r})," for text, names in (each[name] for each in both)]
        lines += [")"]
    return "\n".join([*lines, ""])


def _sql(statement: ClauseElement, dialect: Any) -> tuple[str, tuple[str, ...]]:
    compiled: Any = statement.compile(dialect=dialect)
    constants = [name for name, bound in compiled.binds.items() if not bound.required]
    if constants:
        raise ValueError(f"write constants as literal_column: {constants} in {compiled}")
    return " ".join(str(compiled).split()), tuple(compiled.positiontup or ())
