"""The driver's errors, told apart and named in our words."""

from __future__ import annotations

import asyncpg

from worker.errors import ConfigurationError, TransportUnavailable
from worker.keepalive import without_pooler


class OutcomeUnknown(TransportUnavailable):
    """It is not known whether the work was committed."""


DRIVER_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the driver raises for a server that does not answer, or does not do as it is told."""

_BROKEN = ("08", "57P")
"""Classes of errors after which the connection is of no use: it broke, or the server ends."""

_READ_ONLY = "25006"
_HINTS = {
    _READ_ONLY: "a standby, or default_transaction_read_only is on; expected the primary "
    "(of several hosts: ?target_session_attrs=read-write)",
    "42501": "expected a role with SELECT, INSERT, UPDATE, DELETE ON ALL TABLES and USAGE ON ALL SEQUENCES IN SCHEMA, "
    "and with CREATE ON SCHEMA where it is to make the tables itself",
}
"""What is expected where the server refuses, by its code."""

_PASSING = {"40001", "40P01"}
"""Another transaction was in the way (serialization, deadlock): the same work, done again, may succeed."""


def unavailable(shown: str, error: BaseException) -> TransportUnavailable:
    """Name the server and the cause."""
    return TransportUnavailable(f"postgresql {shown}: {reason(error)}")


def unknown(shown: str, error: BaseException) -> OutcomeUnknown:
    """Name the server and the cause; the work may have been done all the same."""
    return OutcomeUnknown(f"postgresql {shown}: {reason(error)}")


def read_only(shown: str) -> TransportUnavailable:
    """Name a server that answers, and takes no writes."""
    return TransportUnavailable(f"postgresql {shown}: it is read-only: {_HINTS[_READ_ONLY]}")


def misconfigured(name: str, shown: str, error: BaseException) -> ConfigurationError:
    """Name the address that the driver does not understand."""
    return ConfigurationError(f"transports.{name}.url = {shown!r}: {reason(error)}")


def reason(error: BaseException) -> str:
    """Say in one line what went wrong; what a statement was given is no part of it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    told = (str(error).splitlines() or [""])[0] or type(error).__name__
    hint = _HINTS.get(getattr(error, "sqlstate", None) or "")
    return f"{told}: {hint}" if hint else without_pooler(told)


def was_refused(error: BaseException) -> bool:
    """Whether the server itself said that it did nothing, or the driver never asked."""
    if isinstance(error, asyncpg.PostgresError):
        return not (error.sqlstate or "08").startswith(_BROKEN)
    return isinstance(error, asyncpg.InterfaceError)


def breaks(error: BaseException) -> bool:
    """Whether the connection is of no use any more."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "08").startswith(_BROKEN)
    return True


def passes(error: BaseException) -> bool:
    """Whether the same work, done again at once, may succeed."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _PASSING
