"""Connections to the server: how they are opened, and what is agreed on for them."""

from __future__ import annotations

import contextlib
import socket
from typing import Any, TypeAlias

import asyncpg

from transports.postgres import faults
from transports.postgres.settings import Settings

Connection: TypeAlias = Any
"""The driver's connection: it comes without types."""

# Every statement here is meant to go along an index. The planner would only think so once it has statistics, and
# goes on with a plan that it made while the table was small; so it is left no other way.
_PLANS = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_sort": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}

_TCP = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 20_000}
"""Seconds, but for the last one: milliseconds."""


async def open_connection(settings: Settings, *, name: str, synchronous: bool = True) -> Connection:
    """Open a connection, within the configured time.

    Args:
        settings: of the transport.
        name: of the transport, for errors.
        synchronous: whether a commit is on disk when it is answered.

    Raises:
        ConfigurationError: the driver does not understand the address.
        TransportUnavailable: the server does not answer; names it.
    """
    bound = str(max(1, int(settings.timeout * 1000)))
    agreed = {
        "application_name": f"command-worker {name}",
        "statement_timeout": bound,
        "lock_timeout": bound,
        "idle_in_transaction_session_timeout": bound,
        # a client that is gone without a word must not hold its locks for hours
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "4",
        **_PLANS,
    }
    if not synchronous:
        agreed["synchronous_commit"] = "off"
    try:
        connection = await asyncpg.connect(settings.dsn, timeout=settings.timeout, server_settings=agreed)
    except asyncpg.exceptions.ClientConfigurationError as error:
        raise faults.misconfigured(name, settings.shown, error) from error
    except faults.DRIVER_ERRORS as error:
        raise faults.unavailable(settings.shown, error) from error
    keep_alive(connection)
    return connection


async def close_connection(connection: Connection) -> None:
    """Say goodbye, or hang up where that takes too long."""
    try:
        await connection.close(timeout=2.0)
    except faults.DRIVER_ERRORS:
        pass
    finally:
        with contextlib.suppress(Exception):
            connection.terminate()


def keep_alive(connection: Connection) -> None:
    """Have the system notice that the other machine is gone: what was sent is not acknowledged, nor a probe."""
    line = getattr(connection, "_transport", None)  # the driver has no word for it
    found = line.get_extra_info("socket") if line is not None else None
    if found is None or found.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _TCP.items():
        if hasattr(socket, option):  # not every system has each
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
