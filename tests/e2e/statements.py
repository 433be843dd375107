"""SQL of the applications under test. SQLAlchemy is loaded where commands are handled, not where one is sent or looked at."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import TextClause

if {"consume", "run", "serve"} & set(sys.argv):
    import sqlalchemy  # noqa: F401  # before anything waits for it


def text(statement: str) -> TextClause:
    """A statement for a handler's session."""
    from sqlalchemy import text as made

    return made(statement)
