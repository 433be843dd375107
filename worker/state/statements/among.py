"""Membership in a list that is one parameter: JSON for SQLite, an array for PostgreSQL; so a list has no limit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Boolean, String, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler


class Among(ColumnElement[bool]):
    """Whether a column's value is in the list that is given as ``name``."""

    inherit_cache = False
    type = Boolean()
    _is_implicitly_boolean = True  # or SQLite would compare it with 1, and use no index

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.name = name


@compiles(Among, "sqlite")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _sqlite(element: Among, compiler: SQLCompiler, **given: Any) -> str:
    listed = compiler.process(bindparam(element.name, type_=Text()), **given)
    return f"{compiler.process(element.column, **given)} IN (SELECT value FROM json_each({listed}))"


@compiles(Among, "postgresql")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _postgresql(element: Among, compiler: SQLCompiler, **given: Any) -> str:
    # without the column's length: a cast to that would cut what is longer
    each = String() if isinstance(element.column.type, String) else element.column.type
    listed = compiler.process(bindparam(element.name, type_=ARRAY(each)), **given)
    return f"{compiler.process(element.column, **given)} = ANY ({listed})"
