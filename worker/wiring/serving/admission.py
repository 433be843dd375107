"""Where the intake may listen, and whom besides its own machine it answers, as long as there are no tokens."""

from __future__ import annotations

import ipaddress
import socket
import struct
from pathlib import Path

from worker.errors import ConfigurationError

_MARKS = (".dockerenv", "run/.containerenv")
"""Files that Docker and Podman put into every container."""

_HAS_GATEWAY = 0x2


def admitted(
    host: str, *, trust_gateway: bool, tokens: bool = False, root: Path = Path("/")
) -> tuple[str, ...]:
    """Give the addresses, besides loopback, of clients that are answered.

    A container's loopback address can be reached from inside the container only. A port that the container's engine
    publishes leads to another of its addresses, and a call of that port from the machine outside comes from the default
    gateway of the container's network. With ``trust_gateway`` that one address is answered too, and any may be listened on.

    Args:
        host: where the intake is to listen.
        trust_gateway: whether the machine that runs this container is answered.
        tokens: whether they are in use: then they say who is answered, from wherever.
        root: of the file system.

    Raises:
        ConfigurationError: others could reach the address; or this is no container, or has no gateway.
    """
    if tokens:
        return ()
    if not trust_gateway:
        _require_loopback(host)
        return ()
    if not any((root / mark).exists() for mark in _MARKS):
        raise ConfigurationError(
            "http.trust_gateway = true: this is no container of Docker or Podman, so its gateway is a router and "
            "not the machine it runs on; expected false"
        )
    found = _gateways(root / "proc/net/route")
    if not found:
        raise ConfigurationError(
            "http.trust_gateway = true: this container's network has no default gateway; expected a network that can publish ports"
        )
    return found


def _require_loopback(host: str) -> None:
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigurationError(
            f"http.host = {host!r}: without tokens the service answers only on loopback; expected 127.0.0.1, ::1 or "
            "localhost, or a token: tokens.root or `worker tokens add` (in a container whose port is published on loopback: http.trust_gateway = true)"
        )


def _gateways(table: Path) -> tuple[str, ...]:
    """Read the default routes of Linux; addresses stand there as hexadecimal numbers of the machine's own order."""
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return ()
    routes = [line.split() for line in lines]
    found = [route[2] for route in routes if route[1] == "00000000" and int(route[3], 16) & _HAS_GATEWAY]
    return tuple(dict.fromkeys(socket.inet_ntoa(struct.pack("=I", int(address, 16))) for address in found))
