"""Numbered changes of the tables, oldest first; each is applied once and never edited after its release."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from worker.state.migrations import m0001_initial, m0002_control, m0003_troubles


class Migration(msgspec.Struct, frozen=True):
    """One change: its number, its name and what it does inside the transaction it is given."""

    version: int
    name: str
    upgrade: Callable[[Connection], None]


MIGRATIONS = (
    Migration(1, "0001_initial", m0001_initial.upgrade),
    Migration(2, "0002_control", m0002_control.upgrade),
    Migration(3, "0003_troubles", m0003_troubles.upgrade),
)
"""All of them, in order. A new one: a file ``m<number>_<name>.py`` and a line here."""
