"""Connections to the server: how they are opened, and what is agreed on for them."""

from __future__ import annotations

import contextlib
from typing import Any, TypeAlias

import asyncpg

from transports.postgres import faults
from transports.postgres.settings import Settings
from worker.keepalive import OF_SERVER, keep_alive
from worker.messaging.bounded import closed

_CLOSING = 2.0

Connection: TypeAlias = Any
"""The driver's connection: it comes without types."""

# Every statement here is meant to use an index. By itself the planner would do so only once it has statistics, and it
# keeps a plan that it made while the table was small; so it is left no other way.
_PLANS = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_sort": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}


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
        **OF_SERVER,
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
        await closed(connection.close(), _CLOSING)
    finally:
        with contextlib.suppress(Exception):
            connection.terminate()
