"""The image's health check: asks this container's own worker or intake whether it is ready, and prints why not.

``healthy.py [PORT]``: without PORT, a worker's health port is asked, then the intake's. Standard library only: it runs
every few seconds.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping, Sequence

_TIMEOUT = 4.0
_PORTS = (("WORKER_WORKER__HEALTH_PORT", "8081"), ("WORKER_HTTP__PORT", "8000"))


def ports(arguments: Sequence[str], environ: Mapping[str, str]) -> list[int]:
    """Ports to ask, in this order."""
    return [int(port) for port in arguments] or [int(environ.get(name) or port) for name, port in _PORTS]


def ask(port: int) -> tuple[int, str]:
    """Ask ``/readyz`` on loopback; return the status and what it says.

    Raises:
        OSError: nothing listens there, or it does not answer in time.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Return 0 when it is ready, else 1."""
    for port in ports(arguments, environ):
        try:
            status, said = ask(port)
        except ConnectionRefusedError:
            continue
        except (OSError, http.client.HTTPException) as error:
            print(f"port {port}: {error}")
            return 1
        print(said)
        return 0 if status == 200 else 1
    print("nothing listens")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
