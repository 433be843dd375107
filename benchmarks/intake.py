"""Intake: posts a second to ``202``, next to a bare route that does the same group-commit insert."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.posting import measured
from benchmarks.result import Figure, Goal, Result, paired
from benchmarks.scale import Scale
from benchmarks.site import Site, free_port, running

GOALS = (Goal(0.5),)


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
            results.append(paired(title, "posts/s", pairs, GOALS if kind == "Plain" else ()))
    return results


def _ours(folder: Path, kind: str, requests: int, connections: int) -> Figure:
    port = free_port()
    with Site(folder).process("serve", "--port", str(port)) as server:
        return measured(server, port, f"/commands/{kind}", requests, connections)


def _bare(folder: Path, requests: int, connections: int) -> Figure:
    folder.mkdir(parents=True)
    port = free_port()
    with running([sys.executable, "-m", "benchmarks.bare_server", str(port), "bare.db"], folder) as server:
        return measured(server, port, "/commands", requests, connections)
