"""Outages: which of a driver's errors mean that the database does not answer, as ``DatabaseUnavailable``."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.engine import Engine, ExceptionContext

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

_LOST_EARLIER = "8s2b"
"""SQLAlchemy's code of an error whose transaction lost its connection; a failed flush has another."""

_WITHOUT_CODE = ("no active connection", "connection closed", "connection is closed")


def translate(error: BaseException, shown: str) -> BaseException:
    """Turn an error that tells of an outage into ``DatabaseUnavailable``; give any other back as it is.

    Args:
        error: what SQLAlchemy raised.
        shown: the database's URL, without its password.
    """
    if isinstance(error, DatabaseUnavailable) or not _is_outage(error):
        return error
    reason = (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]
    unavailable = DatabaseUnavailable(f"database {shown}: {reason}")
    unavailable.__cause__ = error
    return unavailable


def listen(engine: Engine, shown: str) -> None:
    """Make every statement on ``engine`` raise ``DatabaseUnavailable`` itself when the database is out.

    So a handler's own statement on its session says so too, and nobody has to translate.
    """

    def on_error(context: ExceptionContext) -> BaseException | None:
        error = context.sqlalchemy_exception
        if error is None:
            cause = context.original_exception
            if not isinstance(cause, OSError):
                return None
            # PostgreSQL's driver lets the socket's errors through, and its time-out: what it asked is still under way
            context.is_disconnect = True
            return DatabaseUnavailable(f"database {shown}: {str(cause) or 'no answer in time'}")
        if context.is_disconnect and isinstance(error, exc.DBAPIError):
            error.connection_invalidated = True
        translated = translate(error, shown)
        return None if translated is error else translated

    event.listen(engine, "handle_error", on_error, retval=True)


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, exc.PendingRollbackError):  # the connection was lost in an earlier statement
        return error.code == _LOST_EARLIER
    if not isinstance(error, exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    cause: Any = error.orig
    while cause is not None:
        code = getattr(cause, "sqlite_errorcode", None)
        if code is not None:
            return (code & 0xFF) in _SQLITE_CODES
        state: str | None = getattr(cause, "sqlstate", None)
        if state is not None:
            return state.startswith(_POSTGRESQL_CLASSES) or state in _POSTGRESQL_STATES
        cause = cause.__cause__
    return any(text in str(error.orig).lower() for text in _WITHOUT_CODE)
