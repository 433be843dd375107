"""Settings of one SQLite transport, read from its address and table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from transports.dsn import Dsn
from transports.options import Options


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was configured; times in seconds.

    Attributes:
        path: of the file.
        lease: how long a delivery is held.
        max_bytes: largest body.
        synchronous: ``full`` survives a power cut, ``normal`` only the death of the process.
        busy_timeout: how long to wait for another process that writes.
    """

    path: Path
    lease: float = 60.0
    max_bytes: int = 16 * 1024 * 1024
    synchronous: str = "full"
    busy_timeout: float = 5.0


def read(name: str, url: Dsn, options: Mapping[str, Any], base: Path) -> Settings:
    """Read the settings; relative paths start from ``base``.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    reader = Options(name, options)
    lease = reader.number("lease", 60.0, minimum=1.0)
    max_bytes = reader.whole("max_bytes", 16 * 1024 * 1024, minimum=1, unit="bytes")
    synchronous = reader.choice("synchronous", "full", ("full", "normal"))
    busy_timeout = reader.number("busy_timeout", 5.0, minimum=0.1)
    path = url.path.removeprefix("/")
    if (
        url.hosts
        or not path
        or path.endswith("/")
        or path == ":memory:"
        or path.startswith("file::memory:")
        or "?" in url.text
    ):
        expected = "sqlite:///relative/file.db or sqlite:////absolute/file.db (in memory: memory://)"
        reader.fault("url", url.masked, f"{expected}; in a path, ? is %3F" if "?" in url.text else expected)
    if "\0" in path:
        reader.fault("url", url.masked, "a path without NUL")
    reader.finish()
    return Settings(
        path=base / path,
        lease=lease,
        max_bytes=max_bytes,
        synchronous=synchronous,
        busy_timeout=busy_timeout,
    )
