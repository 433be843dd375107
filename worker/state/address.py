"""The database's address: what the configured URL means, and how it may be shown."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from worker.errors import ConfigurationError
from worker.settings import mask_url
from worker.settings.masking import may_end_a_password
from worker.settings.paths import path_in
from worker.state.statement import Dialect

_SQLITE = {"sqlite", "sqlite+aiosqlite"}
_POSTGRESQL = {"postgresql", "postgres"}


class Address(msgspec.Struct, frozen=True):
    """Where the state is kept.

    Attributes:
        shown: the URL as given, its password masked; of SQLite, with the file's real path.
        dialect: which SQL it speaks.
        path: SQLite's file; None for a database that lasts as long as the process.
        dsn: for PostgreSQL's driver, which reads it by itself; empty for SQLite.
    """

    shown: str
    dialect: Dialect
    path: Path | None = None
    dsn: str = ""


def parse(text: str, base: Path) -> Address:
    """Read a URL; a relative SQLite path is taken from ``base``.

    Raises:
        ConfigurationError: it is no URL, or of a database that is not supported.
    """
    text = text.strip()
    scheme, separator, rest = ("sqlite://" if text == ":memory:" else text).partition("://")
    if scheme in _POSTGRESQL and separator:
        return _postgresql(text)
    if not separator:
        # the text may hold a password, so only its beginning is shown
        raise ConfigurationError(
            f"database.url={scheme[:20]!r}…: expected sqlite:///path or postgresql://host/name"
        )
    shown = mask_url(text)
    if scheme not in _SQLITE:
        raise ConfigurationError(f"database.url={shown!r}: expected sqlite:///path or postgresql://host/name")
    return _sqlite(rest, shown, base)


def _postgresql(text: str) -> Address:
    shown = mask_url(text)
    try:
        parts = urlsplit(text)
        ports = [
            host.rpartition("]")[2].partition(":")[2] for host in parts.netloc.rpartition("@")[2].split(",")
        ]
        if not all(port.isdecimal() or not port for port in ports):
            raise ValueError
        if ":" in parts.netloc and may_end_a_password(text.partition("://")[2][len(parts.netloc) :]):
            raise ValueError  # its driver would take a part of the password for a host, and look it up
    except ValueError:
        # what cannot be read cannot be masked for certain either
        raise ConfigurationError(
            "database.url='postgresql://…': expected postgresql://user:password@host:port/name, "
            "with special characters of the password percent-encoded: %40 (@), %2F (/), %3F (?), %23 (#)"
        ) from None
    return Address(shown, "postgresql", dsn=text)


def _sqlite(rest: str, shown: str, base: Path) -> Address:
    authority, _, path = rest.partition("/")
    if authority or "?" in path:
        raise ConfigurationError(
            f"database.url={shown!r}: expected sqlite:///path without host and options (in a path, ? is %3F)"
        )
    if path in {"", ":memory:"}:
        return Address(shown, "sqlite")
    name = path_in(path)
    if "\0" in name:
        raise ConfigurationError(f"database.url={shown!r}: expected a path without NUL")
    found = (base / name).absolute()
    return Address(f"sqlite:///{found}", "sqlite", found)
