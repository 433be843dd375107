"""Resources: posts of a queued resource to ``202``, next to the same data posted as a command by its name."""

from __future__ import annotations

from pathlib import Path

from benchmarks.posting import measured
from benchmarks.result import Figure, Goal, Result, paired
from benchmarks.scale import Scale
from benchmarks.site import Site, free_port

GOALS = (Goal(1.3, "cpu", least=False),)


def run(scale: Scale, folder: Path) -> list[Result]:
    """Measure a resource whose answer is empty, and one that answers with the object."""
    results = []
    for name, path in (("resource, no output", "/records"), ("resource, with output", "/records/whole")):
        for connections in scale.connections:
            pairs = []
            for number in range(scale.rounds):
                place = folder / f"{path.replace('/', '-')}{connections}-{number}"
                ours = _posted(place / "resource", path, scale.requests, connections)
                plain = _posted(place / "command", "/commands/Plain", scale.requests, connections)
                pairs.append((ours, plain))
            results.append(paired(f"{name}, {connections} connections", "posts/s", pairs, GOALS))
    return results


def _posted(folder: Path, path: str, requests: int, connections: int) -> Figure:
    port = free_port()
    with Site(folder).process("serve", "--port", str(port)) as server:
        return measured(server, port, path, requests, connections)
