"""Settings of one PostgreSQL transport, read from its address and table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from transports.dsn import Dsn
from transports.options import Options


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was configured; times in seconds.

    Attributes:
        dsn: the address, for the driver.
        shown: the same without its password.
        lease: how long a delivery is held.
        max_bytes: largest body.
        timeout: how long to wait for the server, each time.
    """

    dsn: str
    shown: str
    lease: float = 60.0
    max_bytes: int = 16 * 1024 * 1024
    timeout: float = 10.0


def read(name: str, url: Dsn, options: Mapping[str, Any]) -> Settings:
    """Read the settings.

    Raises:
        ConfigurationError: the address or an option is wrong; names each.
    """
    reader = Options(name, options)
    lease = reader.number("lease", 60.0, minimum=1.0)
    max_bytes = reader.whole("max_bytes", 16 * 1024 * 1024, minimum=1, unit="bytes")
    timeout = reader.number("timeout", 10.0, minimum=0.1)
    if not all(_is_host(host) for host in url.hosts):
        reader.fault("url", url.masked, "postgresql://user:password@host:port/database")
    reader.finish()
    return Settings(dsn=url.text, shown=url.masked, lease=lease, max_bytes=max_bytes, timeout=timeout)


def _is_host(host: str) -> bool:
    port = host.rpartition("]")[2].partition(":")[2]
    return not port or port.isdecimal()
