"""PostgreSQL's driver: how a connection is opened, what it may wait for, and how a dead one is noticed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from worker.errors import ConfigurationError, DatabaseUnavailable
from worker.keepalive import OF_SERVER, keep_alive, without_pooler
from worker.state.waits import Waits

_IDLE = 5.0
"""Seconds without use after which a connection is asked whether it still lives."""

_PING = 5.0
"""Seconds within which it must answer then."""

MARGIN = 5.0
"""Seconds past a statement's time after which a server that has not ended it counts as silent: what lies between may
acknowledge bytes for it, and the system then sees nothing wrong with the line."""

_GOODBYE = 2.0
"""Seconds that the server is given to hear of the end."""


class Connection(asyncpg.Connection):  # type: ignore[misc]  # the driver comes without types
    """A connection whose end does not wait for a server that is silent."""

    async def close(self, *, timeout: float | None = None) -> None:
        """Say goodbye, or hang up."""
        try:
            await super().close(timeout=_GOODBYE)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            self.terminate()


def opener(
    dsn: str, shown: str, waits: Waits, kind: type[Connection] = Connection
) -> Callable[..., Awaitable[Any]]:
    """Make the function that opens a connection; what goes wrong there is ``DatabaseUnavailable``.

    Args:
        dsn: the address as PostgreSQL's own programs understand it, several hosts included.
        shown: the same without its password.
        waits: for the lock and the statement they are kept by the server, and by the client when it hangs.
        kind: class of the connection.
    """
    settings = {
        "application_name": "command-worker",
        "lock_timeout": _milliseconds(waits.lock),
        "statement_timeout": _milliseconds(waits.statement),
        **OF_SERVER,
    }

    async def connect(*_args: Any, **_options: Any) -> Any:
        """Open a connection; what SQLAlchemy has taken from its URL is not needed."""
        try:
            connection = await asyncpg.connect(
                dsn,
                timeout=waits.lock,
                command_timeout=waits.statement + MARGIN,
                server_settings=settings,
                connection_class=kind,
            )
        except asyncpg.exceptions.ClientConfigurationError as error:
            raise ConfigurationError(f"database.url={shown!r}: {error}") from error
        except TimeoutError as error:
            raise DatabaseUnavailable(f"database {shown}: no answer within {waits.lock:g} s") from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise DatabaseUnavailable(f"database {shown}: {_first_line(error)}") from error
        keep_alive(connection)
        return connection

    return connect


async def alive(connection: Any, idle_since: float | None) -> bool:
    """Whether a connection still lives that has been idle since then; one that does not is hung up."""
    if connection.is_closed():
        return False
    if idle_since is None or time.monotonic() - idle_since < _IDLE:
        return True
    try:
        await connection.execute("SELECT 1", timeout=_PING)
    except Exception:
        connection.terminate()  # a polite end would wait for an answer, too
        return False
    return True


def _milliseconds(seconds: float) -> str:
    return str(max(1, int(seconds * 1000)))


def _first_line(error: BaseException) -> str:
    return without_pooler((str(error).splitlines() or [""])[0] or type(error).__name__)
