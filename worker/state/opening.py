"""Opens the driver of a database: SQLite's, or PostgreSQL's where that is installed."""

from __future__ import annotations

from worker.errors import ConfigurationError
from worker.state.address import Address
from worker.state.driver import Driver
from worker.state.sqlite_driver import SqliteDriver
from worker.state.waits import Waits


def open_driver(address: Address, waits: Waits, application: str) -> Driver:
    """Make the driver of an address; nothing is opened yet.

    Raises:
        ConfigurationError: it is not installed.
    """
    if address.dialect == "sqlite":
        return SqliteDriver(address.path, address.shown, waits, application=application)
    try:
        import asyncpg  # noqa: F401 - the driver is optional

        from worker.state.postgresql_driver import PostgresqlDriver
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"database.url: PostgreSQL needs a driver; install command-worker[postgres] ({error})"
        ) from error
    return PostgresqlDriver(address, waits, application)
