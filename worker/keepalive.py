"""Keep-alive: the system notices that the machine at the other end of PostgreSQL's line is gone, on either side."""

from __future__ import annotations

import socket
from typing import Any

_TCP = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 20_000}
"""Seconds, but for the last one: milliseconds."""

OF_SERVER = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "4"}
"""The server's settings to the same end: a client that is gone without a word must not hold its locks for hours."""

_POOLED = "unsupported startup parameter"
_EXPECTED = (
    "a connection pooler (PgBouncer) answers there, which passes no settings, notifications and prepared "
    "statements of a session on; expected the address of the server itself"
)


def without_pooler(told: str) -> str:
    """Add to what a server said of a refused connection what is expected, where it is no server that has said it."""
    return f"{told}: {_EXPECTED}" if told.startswith(_POOLED) else told


def keep_alive(connection: Any) -> None:
    """End a connection of asyncpg where what was sent is not acknowledged for long, nor a probe."""
    line = getattr(connection, "_transport", None)  # the driver has no word for it
    found = line.get_extra_info("socket") if line is not None else None
    if found is None or found.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _TCP.items():
        if hasattr(socket, option):  # not every system has each
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
