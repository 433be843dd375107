"""Access while no token exists: clients on this machine may call, pages of other sites in their browsers may not."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from starlette.types import Scope

from worker.http.problems import FORBIDDEN, Problem

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_REMEMBERED = 64


class Access:
    """The loopback rule.

    The peer's address counts; ``X-Forwarded-For`` does not, since any client can write it. The ``Host`` must be a
    loopback name: else a foreign site could point its own name at 127.0.0.1 and read answers (DNS rebinding).
    Changes from pages of other origins are refused, because browsers send simple requests without asking first.

    Args:
        hosts: further names that a ``Host`` header may have.
        clients: addresses that are let in besides this machine's own.
        loopback_only: False lets every client in; for when tokens decide.
    """

    def __init__(
        self, hosts: Iterable[str] = (), clients: Iterable[str] = (), *, loopback_only: bool = True
    ) -> None:
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)
        self._open = not loopback_only
        # what was found allowed; bounded, since a client chooses the port in its Host header
        self._near: set[str] = {"127.0.0.1", "::1", *clients}
        self._named: set[bytes] = {b"localhost", b"127.0.0.1"}

    def check(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Check that a request may pass.

        Raises:
            Problem: it may not.
        """
        if self._open:
            return
        client = scope.get("client")
        if client is None or client[0] not in self._near:
            self._check_peer(client[0] if client else None)
        host = headers.get(b"host")
        if host is not None and host not in self._named:
            self._check_host(host)
        origin = headers.get(b"origin")
        if origin is not None and scope["method"] not in _SAFE:
            _check_origin(origin, host)

    def _check_peer(self, address: str | None) -> None:
        if address is None or not is_loopback(address):
            raise Problem(FORBIDDEN, "without tokens this service answers clients on its own machine only")
        if len(self._near) < _REMEMBERED:
            self._near.add(address)

    def _check_host(self, host: bytes) -> None:
        name = _without_port(host.decode("latin-1").lower())
        if not (
            name == "localhost" or name.endswith(".localhost") or is_loopback(name) or name in self._hosts
        ):
            raise Problem(FORBIDDEN, "the Host header names no address of this machine's own")
        if len(self._named) < _REMEMBERED:
            self._named.add(host)


def is_loopback(address: str) -> bool:
    """Tell whether an address is one of this machine's own, 127.0.0.0/8 or ::1, also written as IPv6."""
    try:
        parsed = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _check_origin(origin: bytes, host: bytes | None) -> None:
    if host is None or origin.lower().partition(b"://")[2] != host.lower():
        raise Problem(FORBIDDEN, "a page of another origin may not change anything here")
