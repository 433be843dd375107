"""The table that all sides read, and its rows."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ROWS = 1000
FILE = "books.db"


class Base(DeclarativeBase):
    """What the table is declared with."""


class Book(Base):
    """A row of six columns."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    author: Mapped[str]
    year: Mapped[int | None]
    summary: Mapped[str]
    added: Mapped[datetime]


def fill(path: Path) -> None:
    """Make the rows, past all that is measured; the table may be there."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS books (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(200) NOT NULL, "
        "author VARCHAR NOT NULL, year INTEGER, summary VARCHAR NOT NULL, added DATETIME NOT NULL)"
    )
    rows = [
        (number, f"Title {number}", "An Author", 1900 + number % 100, "s" * 80, "2026-11-30 12:00:00.000000")
        for number in range(1, ROWS + 1)
    ]
    connection.executemany("INSERT OR REPLACE INTO books VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
