"""Intake: posts a second to ``202``, next to a bare route that does the same group-commit insert."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.result import Figure, Result, paired
from benchmarks.scale import Scale
from benchmarks.site import Site, free_port, running

GOAL = 0.5
_PATIENCE = 30.0


def run(scale: Scale, folder: Path) -> list[Result]:
    """Measure untracked commands against the bare route, then what keeping their status costs."""
    results = []
    for name, kind in (("intake", "Plain"), ("intake, tracked", "Tracked")):
        for connections in scale.connections:
            pairs = []
            for number in range(scale.rounds):
                place = folder / f"{kind}{connections}-{number}"
                ours = _ours(place / "ours", kind, scale.requests, connections)
                pairs.append((ours, _bare(place / "bare", scale.requests, connections)))
            title = f"{name}, {connections} connections"
            results.append(paired(title, "posts/s", pairs, GOAL if kind == "Plain" else None))
    return results


def _ours(folder: Path, kind: str, requests: int, connections: int) -> Figure:
    port = free_port()
    with Site(folder).process("serve", "--port", str(port)) as server:
        return _measure(server, port, f"/commands/{kind}", requests, connections)


def _bare(folder: Path, requests: int, connections: int) -> Figure:
    folder.mkdir(parents=True)
    port = free_port()
    with running([sys.executable, "-m", "benchmarks.bare_server", str(port), "bare.db"], folder) as server:
        return _measure(server, port, "/commands", requests, connections)


def _measure(
    server: subprocess.Popen[bytes], port: int, path: str, requests: int, connections: int
) -> Figure:
    _await_answer(port)
    _post(port, path, max(connections, requests // 10), connections)  # warm
    before = _used(server.pid)
    rate = _post(port, path, requests, connections)
    return Figure(rate, (_used(server.pid) - before) / requests * 1e6)


def _post(port: int, path: str, requests: int, connections: int) -> float:
    command = [sys.executable, "-m", "benchmarks.poster", str(port), path, str(requests), str(connections)]
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
