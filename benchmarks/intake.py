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
    """Measure untracked commands, those whose status is kept, and the bare route beside both, each once a round."""
    results = []
    for connections in scale.connections:
        rounds = []
        for number in range(scale.rounds):
            place = folder / f"{connections}-{number}"
            plain = _ours(place / "plain", "Plain", scale.requests, connections)
            bare = _bare(place / "bare", scale.requests, connections)
            rounds.append((plain, bare, _ours(place / "tracked", "Tracked", scale.requests, connections)))
        for name, column, goals in (("intake", 0, GOALS), ("intake, tracked", 2, ())):
            pairs = [(found[column], found[1]) for found in rounds]
            results.append(paired(f"{name}, {connections} connections", "posts/s", pairs, goals))
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
