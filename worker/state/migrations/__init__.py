"""Numbered changes of the tables, oldest first; each is applied once and never edited after its release."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import msgspec


class Migration(msgspec.Struct, frozen=True):
    """One change: its number, its name and what it does inside the transaction it is given, SQLAlchemy's.

    ``upgrade`` is told the application that is being started, too.
    """

    version: int
    name: str
    upgrade: Callable[[Any, str], object]


def _migration(name: str) -> Migration:
    def upgrade(connection: Any, application: str) -> None:
        # imported when it is applied: it brings SQLAlchemy, which a worker whose tables are there does not need
        import_module(f"{__name__}.m{name}").upgrade(connection, application)

    return Migration(int(name.partition("_")[0]), name, upgrade)


MIGRATIONS = tuple(_migration(name) for name in sorted(module.name[1:] for module in iter_modules(__path__)))
"""All of them, in order: the files ``m<number>_<name>.py`` of this folder."""
