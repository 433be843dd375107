"""Resources: posts of a queued resource to ``202``, next to the same data posted as a command by its name."""

from __future__ import annotations

from pathlib import Path

from benchmarks.posting import measured
from benchmarks.result import Figure, Goal, Result, paired
from benchmarks.scale import Scale
from benchmarks.site import Site, free_port

GOALS = (Goal(1.3, "cpu", least=False),)


_RESOURCES = {"no output": "/records", "with output": "/records/whole"}
_COMMAND = "/commands/Plain"


def run(scale: Scale, folder: Path) -> list[Result]:
    """Measure a resource whose answer is empty, one that answers with the object, and the command, each once a round."""
    results = []
    for connections in scale.connections:
        rounds = []
        for number in range(scale.rounds):
            found = {}
            for path in (*_RESOURCES.values(), _COMMAND):
                place = folder / f"{path.replace('/', '-')}{connections}-{number}"
                found[path] = _posted(place, path, scale.requests, connections)
            rounds.append(found)
        for name, path in _RESOURCES.items():
            pairs = [(found[path], found[_COMMAND]) for found in rounds]
            title = f"resource, {name}, {connections} connections"
            results.append(paired(title, "posts/s", pairs, GOALS))
    return results


def _posted(folder: Path, path: str, requests: int, connections: int) -> Figure:
    port = free_port()
    with Site(folder).process("serve", "--port", str(port)) as server:
        return measured(server, port, path, requests, connections)
