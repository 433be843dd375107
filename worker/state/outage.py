"""Outages: which of a driver's errors mean that the database does not answer, as ``DatabaseUnavailable``."""

from __future__ import annotations

import sqlite3
from typing import Any

from worker.errors import DatabaseUnavailable

_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}

# connection, resources, shutdown and crash, the machine; then canceled by time-out, lock not available, idle for
# too long, serialization and deadlock, where nothing is wrong with the message either and a repeat helps
_POSTGRESQL_CLASSES = ("08", "53", "57P", "58")
_POSTGRESQL_STATES = {"57014", "55P03", "25P03", "40001", "40P01"}

# refused to the stores, whose statements are right: the database is read-only, or the role lacks a right. What a handler
# asks for by its own statements is its own affair
_SQLITE_REFUSED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
READ_ONLY, DENIED, _LOCKED = "25006", "42501", "55P03"
HINTS = {
    READ_ONLY: "a standby, or default_transaction_read_only is on; expected the primary "
    "(of several hosts: ?target_session_attrs=read-write)",
    DENIED: "expected a role with SELECT, INSERT, UPDATE, DELETE ON ALL TABLES and USAGE ON ALL SEQUENCES IN SCHEMA",
}

_WITHOUT_CODE = ("no active connection", "connection closed", "connection is closed")


def translate(error: BaseException, shown: str) -> BaseException:
    """Turn a driver's error that tells of an outage into ``DatabaseUnavailable``; give any other back as it is.

    Args:
        error: what a transaction of the stores raised.
        shown: the database's URL, without its password.
    """
    if isinstance(error, DatabaseUnavailable) or not (
        _is_drivers(error) and (is_outage(error) or _is_refused(error))
    ):
        return error
    return unavailable(error, error, shown)


def unavailable(error: BaseException, told: BaseException, shown: str) -> DatabaseUnavailable:
    """Make the outage that ``error`` is, with the first line of what was ``told``."""
    silent = "no answer in time" if isinstance(told, TimeoutError) else type(told).__name__
    reason = (str(told).splitlines() or [""])[0] or silent
    hint = HINTS.get(state_of(told) or "")
    made = DatabaseUnavailable(f"database {shown}: {reason}" + (f": {hint}" if hint else ""))
    made.__cause__ = error
    return made


def is_outage(error: BaseException) -> bool:
    """Whether a driver's error, or what it was made of, says so by its code, or by its words where it has none."""
    if isinstance(error, OSError):  # PostgreSQL's driver lets the socket's errors through, and its time-out
        return True
    cause: Any = error
    while cause is not None:
        code = getattr(cause, "sqlite_errorcode", None)
        if code is not None:
            return (code & 0xFF) in _SQLITE_CODES
        state: str | None = getattr(cause, "sqlstate", None)
        if state is not None:
            return state.startswith(_POSTGRESQL_CLASSES) or state in _POSTGRESQL_STATES
        cause = cause.__cause__
    return any(text in str(error).lower() for text in _WITHOUT_CODE)


def is_locked(error: BaseException) -> bool:
    """Whether another process holds the lock that was waited for."""
    cause: BaseException | None = error
    while cause is not None:
        code: int | None = getattr(cause, "sqlite_errorcode", None)
        if code is not None:
            return (code & 0xFF) == sqlite3.SQLITE_BUSY
        cause = cause.__cause__
    return state_of(error) == _LOCKED


def state_of(error: BaseException) -> str | None:
    """PostgreSQL's code of an error, or of what it was made of."""
    cause: Any = error
    while cause is not None:
        state: str | None = getattr(cause, "sqlstate", None)
        if state is not None:
            return state
        cause = cause.__cause__
    return None


def _is_refused(error: BaseException) -> bool:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return state_of(error) in HINTS if code is None else (code & 0xFF) in _SQLITE_REFUSED


def _is_drivers(error: BaseException) -> bool:
    # aiosqlite says by ValueError that it was closed; PostgreSQL's driver is only there where it is used
    return isinstance(error, sqlite3.Error | ValueError | OSError) or type(error).__module__.startswith(
        "asyncpg."
    )
