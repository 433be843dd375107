"""The database's address: what the configured URL means, and how it may be shown."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from worker.errors import ConfigurationError
from worker.settings import mask_url

_SQLITE = {"sqlite", "sqlite+aiosqlite"}
_POSTGRESQL = {"postgresql", "postgres"}


class Address(msgspec.Struct, frozen=True):
    """Where the state is kept.

    Attributes:
        url: for SQLAlchemy, with the driver; None for a database that lasts as long as the process.
        shown: the URL as given, its password masked.
        dialect: which SQL it speaks.
        dsn: for PostgreSQL's driver, which reads it by itself; empty for SQLite.
    """

    url: URL | None
    shown: str
    dialect: Literal["sqlite", "postgresql"]
    dsn: str = ""


def parse(text: str, base: Path) -> Address:
    """Read a URL; a relative SQLite path is taken from ``base``.

    Raises:
        ConfigurationError: it is no URL, or of a database that is not supported.
    """
    text = text.strip()
    if text.partition("://")[0] in _POSTGRESQL and "://" in text:
        return _postgresql(text)
    try:
        url = make_url("sqlite://" if text == ":memory:" else text)
    except (ArgumentError, ValueError):
        # the text may hold a password, so only its beginning is shown
        raise ConfigurationError(
            f"database.url={text.partition('://')[0][:20]!r}…: expected sqlite:///path or postgresql://host/name"
        ) from None
    shown = url.render_as_string(hide_password=True)
    if url.drivername in _SQLITE:
        return _sqlite(url, shown, base)
    raise ConfigurationError(f"database.url={shown!r}: expected sqlite:///path or postgresql://host/name")


def _postgresql(text: str) -> Address:
    shown = mask_url(text)
    try:
        parts = urlsplit(text)
        ports = [
            host.rpartition("]")[2].partition(":")[2] for host in parts.netloc.rpartition("@")[2].split(",")
        ]
        if not all(port.isdecimal() or not port for port in ports):
            raise ValueError
    except ValueError:
        # what cannot be read cannot be masked for certain either
        raise ConfigurationError(
            "database.url='postgresql://…': expected postgresql://user:password@host:port/name, "
            "with special characters of the password percent-encoded"
        ) from None
    return Address(URL.create("postgresql+asyncpg"), shown, "postgresql", text)


def _sqlite(url: URL, shown: str, base: Path) -> Address:
    if url.host or url.username or url.password or url.query:
        raise ConfigurationError(f"database.url={shown!r}: expected sqlite:///path without host and options")
    if url.database in {None, "", ":memory:"}:
        return Address(None, shown, "sqlite")
    path = (base / str(url.database)).absolute()
    return Address(URL.create("sqlite+aiosqlite", database=str(path)), shown, "sqlite")
