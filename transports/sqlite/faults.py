"""SQLite's errors, told apart and named in our words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from worker.errors import TransportUnavailable


class OutcomeUnknown(TransportUnavailable):
    """It is not known whether the transaction was committed."""


_CAUSES = {
    sqlite3.SQLITE_BUSY: "another process holds its lock",
    sqlite3.SQLITE_LOCKED: "another process holds its lock",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_READONLY: "it cannot be written to",
    sqlite3.SQLITE_PERM: "it cannot be written to",
    sqlite3.SQLITE_AUTH: "it cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not answer as it should",
}


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, 0 where there is none."""
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process was in the way, so that trying again can help."""
    return primary_code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def unavailable(path: Path, error: BaseException) -> TransportUnavailable:
    """Name the file and the cause."""
    cause = _CAUSES.get(primary_code(error)) if isinstance(error, sqlite3.Error) else None
    detail = f"{cause} ({error})" if cause else str(error) or type(error).__name__
    return TransportUnavailable(f"sqlite file {path}: {detail}")


def leaves_commit_open(error: sqlite3.Error) -> bool:
    """Whether a COMMIT that ended so may have reached the disk all the same."""
    return primary_code(error) == sqlite3.SQLITE_IOERR
