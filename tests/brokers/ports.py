"""Ports on the loopback address: chosen so that a server finds its port again after a restart."""

from __future__ import annotations

import itertools
import os
import random
import socket
from collections.abc import Iterator

from tests.e2e.waiting import until

HOST = "127.0.0.1"

# Below the range from which systems take the ports of outgoing connections: a client elsewhere could
# otherwise be given the port of a server that is down for a moment.
RANGE = range(20_000, 32_000)


def _shuffled() -> Iterator[int]:
    """The ports of this process of the run, over and over: none is given again soon, and none to two processes."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    mine = RANGE[number % _PARTS :: _PARTS]
    return itertools.cycle(random.Random().sample(mine, len(mine)))


_PARTS = 16
"""Processes of a run that have ports of their own."""
_ports = _shuffled()


def choose() -> int:
    """A port that no process listens on now."""
    for port in itertools.islice(_ports, 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port in {RANGE}")


def is_open(port: int, host: str = HOST) -> bool:
    """Whether a process takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0


def until_closed(port: int, timeout: float = 30.0) -> None:
    """Wait until no process listens there, so that the next look at "is it up" cannot meet a dying server."""
    until(lambda: not is_open(port), f"port {port} is closed", timeout)
