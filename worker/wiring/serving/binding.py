"""Binding: taking an address to listen on, alone or with the other processes of one supervisor."""

from __future__ import annotations

import errno
import socket

from worker.errors import ConfigurationError

_BACKLOG = 2048


def bind(host: str, port: int, *, shared: bool) -> socket.socket:
    """Take an address and listen on it; ``shared``: with the other processes of one supervisor.

    Raises:
        ConfigurationError: it is no address of this machine, or in use.
    """
    bound = _bound(host, port, shared=shared)
    try:
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise _refused(host, port, error) from error
    bound.setblocking(False)
    return bound


def check_free(host: str, port: int) -> None:
    """Refuse an address that another service has: processes that share theirs would take half of its requests.

    Raises:
        ConfigurationError: it is no address of this machine, or in use.
    """
    _bound(host, port, shared=False).close()


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(address)
        except BaseException:
            bound.close()
            raise
    except OSError as error:
        raise _refused(host, port, error) from error
    return bound


def _refused(host: str, port: int, error: OSError) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(
            f"cannot listen on {host}:{port}: the port is in use; stop what listens there, or choose another "
            "by --port, or by --health-port where it is that of a worker's probes"
        )
    return ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror or error}")
