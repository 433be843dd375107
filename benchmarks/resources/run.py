"""``./dev bench resources --peers``: GET of one and of a page of 30 from SQLite."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contest import environment
from benchmarks.peers.resources.model import FILE, fill
from benchmarks.posting import read
from benchmarks.resources import MEASURES
from benchmarks.result import Figure, Goal, Result, paired
from benchmarks.scale import Scale
from benchmarks.site import free_port, running

GOALS = (Goal(1.0), Goal(1.0, "cpu", least=False))
_RIVALS = {"FastAPI": "with_fastapi", "Litestar": "with_litestar"}
_TOML = f"""\
app = "benchmarks.resources.application:app"

[database]
url = "sqlite:///{FILE}"

[transports.sqlite]
url = "sqlite:///queue.db"
"""


def run(
    measures: Sequence[str], scale: Scale, folder: Path, *, peers: bool
) -> tuple[list[Result], dict[str, str]]:
    """Measure, rounds interleaved; without peers the worker alone."""
    python = environment.python() if peers else ""
    rivals = _RIVALS if peers else {}
    results = []
    for measure in measures:
        for connections in scale.connections:
            found: dict[str, list[tuple[Figure, Figure]]] = {name: [] for name in rivals or {"": ""}}
            for number in range(scale.rounds):
                place = folder / f"{measure}-{connections}-{number}"
                given = (MEASURES[measure], scale.requests, connections)
                ours = _side(place / "ours", [sys.executable, *_OURS], *given)
                for name, pairs in found.items():
                    theirs = Figure(0.0, 0.0)
                    if name:
                        program = [python, "-m", f"benchmarks.peers.resources.{rivals[name]}", "{port}"]
                        theirs = _side(place / rivals[name], program, *given)
                    pairs.append((ours, theirs))
            for name, pairs in found.items():
                title = f"GET {measure}, {connections} connections" + (f" / {name}" if name else "")
                results.append(paired(title, "requests/s", pairs, GOALS if name else ()))
    facts = environment.versions(["fastapi", "litestar", "sqlalchemy"], python) if peers else {}
    return results, facts


_OURS = ("-m", "worker", "-l", "warning", "serve", "--port", "{port}")


def _side(folder: Path, program: list[str], path: str, requests: int, connections: int) -> Figure:
    folder.mkdir(parents=True)
    (folder / "worker.toml").write_text(_TOML)
    fill(folder / FILE)
    port = free_port()
    command = [word.replace("{port}", str(port)) for word in program]
    with running(command, folder) as server:
        return read(server, port, path, requests, connections)
