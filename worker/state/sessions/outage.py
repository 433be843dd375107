"""Outages as SQLAlchemy tells them."""

from __future__ import annotations

from sqlalchemy import event, exc
from sqlalchemy.engine import Engine, ExceptionContext

from worker.errors import DatabaseUnavailable
from worker.state import outage

_LOST_EARLIER = "8s2b"
"""SQLAlchemy's code of an error whose transaction lost its connection; a failed flush has another."""


def translate(error: BaseException, shown: str) -> BaseException:
    """Turn an error that tells of an outage into ``DatabaseUnavailable``; give any other back as it is.

    Args:
        error: what SQLAlchemy raised.
        shown: the database's URL, without its password.
    """
    if isinstance(error, DatabaseUnavailable) or not _is_outage(error):
        return error
    return outage.unavailable(error, getattr(error, "orig", None) or error, shown)


def listen(engine: Engine, shown: str) -> None:
    """Make every statement on ``engine`` raise ``DatabaseUnavailable`` itself when the database is out.

    So a handler's own statement on its session says so too, without being translated.
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
        if translated is error and _turned_read_only(context):
            return outage.unavailable(error, context.original_exception, shown)
        return None if translated is error else translated

    event.listen(engine, "handle_error", on_error, retval=True)


def _turned_read_only(context: ExceptionContext) -> bool:
    """Whether the database takes no writes; of a session that only reads it is the handler's own fault."""
    if outage.state_of(context.original_exception) != outage.READ_ONLY or context.connection is None:
        return False
    return not context.connection.get_execution_options().get("postgresql_readonly", False)


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, exc.PendingRollbackError):  # the connection was lost in an earlier statement
        return error.code == _LOST_EARLIER
    if not isinstance(error, exc.DBAPIError):
        return False
    return error.connection_invalidated or (error.orig is not None and outage.is_outage(error.orig))
