"""Posting to a server, from a process of its own, and measuring the server meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.result import Figure

_PATIENCE = 30.0


def measured(
    server: subprocess.Popen[bytes], port: int, path: str, requests: int, connections: int
) -> Figure:
    """Post to a server that is starting, first a tenth to warm up, and take its rate and its processor time."""
    return _sent(server, port, path, requests, connections, [])


def read(server: subprocess.Popen[bytes], port: int, path: str, requests: int, connections: int) -> Figure:
    """Read from a server in the same way."""
    return _sent(server, port, path, requests, connections, ["GET"])


def _sent(
    server: subprocess.Popen[bytes], port: int, path: str, requests: int, connections: int, how: list[str]
) -> Figure:
    _await_answer(port)
    _send(port, path, max(connections, requests // 10), connections, how)  # warm
    before = _used(server.pid)
    rate = _send(port, path, requests, connections, how)
    return Figure(rate, (_used(server.pid) - before) / requests * 1e6)


def _send(port: int, path: str, requests: int, connections: int, how: list[str]) -> float:
    given = [str(port), path, str(requests), str(connections), *how]
    command = [sys.executable, "-m", "benchmarks.poster", *given]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, timeout=300)
    return float(json.loads(done.stdout)["rate"])


def _await_answer(port: int) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/livez", timeout=5):
                return
        except (URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
