"""Numbered changes of the tables, oldest first; each is applied once and never edited after its release."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec


class Migration(msgspec.Struct, frozen=True):
    """One change: its number, its name and what it does inside the transaction it is given, SQLAlchemy's.

    ``upgrade`` is told the application that is being started, too.
    """

    version: int
    name: str
    upgrade: Callable[[Any, str], object]


def _migration(version: int, name: str, *, adopts: bool = False) -> Migration:
    def upgrade(connection: Any, application: str) -> None:
        # imported when it is applied: it brings SQLAlchemy, which a worker whose tables are there does not need
        module = import_module(f"{__name__}.m{name}")
        if adopts:
            module.upgrade(connection, application)
        else:
            module.upgrade(connection)

    return Migration(version, name, upgrade)


MIGRATIONS = (
    _migration(1, "0001_initial"),
    _migration(2, "0002_control"),
    _migration(3, "0003_troubles"),
    _migration(4, "0004_by_application", adopts=True),
    _migration(5, "0005_clock"),
    _migration(6, "0006_suspects"),
)
"""All of them, in order. A new one: a file ``m<number>_<name>.py`` and a line here."""
