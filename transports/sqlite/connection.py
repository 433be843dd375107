"""Connections to the file: how they are opened, and how a transaction gets the write lock."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from transports.sqlite import faults, schema
from transports.sqlite.numbers import Numbers
from transports.sqlite.settings import Settings

T = TypeVar("T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.000_2, 0.01  # seconds


def open_writer(settings: Settings) -> sqlite3.Connection:
    """Open the file for writing, and make the folder, the file and the tables where they are missing.

    Raises:
        TransportUnavailable: it cannot be used; names the file and the cause.
    """
    try:
        settings.path.parent.mkdir(parents=True, exist_ok=True)
        # ``patiently`` waits for the lock, not SQLite: its own steps grow to 100 ms
        connection = sqlite3.connect(
            settings.path, isolation_level=None, timeout=0, check_same_thread=False, cached_statements=512
        )
    except (sqlite3.Error, OSError) as error:
        raise faults.unavailable(settings.path, error) from error
    try:
        patiently(settings, lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone())
        if not patiently(settings, lambda: schema.is_current(connection)):
            patiently(settings, lambda: connection.execute("BEGIN IMMEDIATE"))
            schema.create(connection)
            connection.execute("COMMIT")
        else:
            # proves that the file can be written to, now rather than at the first message
            patiently(settings, lambda: connection.execute("BEGIN IMMEDIATE"))
            connection.execute("ROLLBACK")
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise faults.unavailable(settings.path, error) from error
        raise
    return connection


def set_up(settings: Settings, sqlite: sqlite3.Connection, queues: Sequence[str]) -> None:
    """Create queues in a file that was just opened; closes it where that fails.

    Raises:
        TransportUnavailable: it cannot be written to.
    """
    try:
        patiently(settings, lambda: sqlite.execute("BEGIN IMMEDIATE"))
        Numbers().add(sqlite, queues)
        patiently(settings, lambda: sqlite.execute("COMMIT"))
    except sqlite3.Error as error:
        sqlite.close()
        raise faults.unavailable(settings.path, error) from error


def identity(settings: Settings) -> tuple[int, int] | None:
    """Say which file is at the path now; None where there is none."""
    try:
        found = settings.path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def open_reader(settings: Settings) -> sqlite3.Connection:
    """Open the file for one look at it.

    Raises:
        TransportUnavailable: it cannot be opened.
    """
    uri = f"{settings.path.absolute().as_uri()}?mode=ro"
    try:
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=settings.busy_timeout)
    except sqlite3.Error as error:
        raise faults.unavailable(settings.path, error) from error


def patiently(settings: Settings, action: Callable[[], T]) -> T:
    """Repeat an action while another process holds the lock, for ``busy_timeout`` seconds at most.

    Raises:
        sqlite3.Error: the action's own, or that of the lock.
    """
    pause = _FIRST_PAUSE
    deadline = time.monotonic() + settings.busy_timeout
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if not faults.is_busy(error) or time.monotonic() >= deadline:
                raise
        time.sleep(pause * (0.5 + random.random()))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
