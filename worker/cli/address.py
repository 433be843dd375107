"""Addresses to listen on: only this machine may be served as long as there are no tokens."""

from __future__ import annotations

import ipaddress

from worker.errors import ConfigurationError


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only; a name other than localhost cannot be known."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def require_loopback(host: str) -> None:
    """Refuse to listen where others could reach it.

    Raises:
        ConfigurationError: the address is not this machine's own.
    """
    if not is_loopback(host):
        raise ConfigurationError(
            f"http.host = {host!r}: without a token the service listens on this machine only; "
            "expected 127.0.0.1, ::1 or localhost"
        )
