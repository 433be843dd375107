"""Intake: posts a second to ``202``, next to a bare route that awaits aio-pika's confirm."""

from __future__ import annotations

import sys

from benchmarks.contest.measuring import Measuring
from benchmarks.contest.programs import started
from benchmarks.contest.rounds import measured
from benchmarks.contest.sides import Peer, Side
from benchmarks.peers.task import Task
from benchmarks.posting import measured as posted
from benchmarks.rabbitmq.sides import GOALS, OURS
from benchmarks.result import Figure, Result, paired
from benchmarks.site import free_port

BARE = Peer("bare route", "benchmarks.peers.rabbitmq.bare_route")


def intake(measuring: Measuring) -> list[Result]:
    """Measure at the largest number of connections."""
    connections = measuring.scale.connections[-1]

    def measure(side: Side) -> Figure:
        port = free_port()
        with measuring.ground.fresh() as url:
            folder = measuring.folder(side, url)
            task = Task(url, side.queue, 0, 0.0, folder / "report.json")
            command = _bare(port) if side.name == BARE.name else OURS.serve(port)
            path = "/commands" if side.name == BARE.name else "/commands/Work"
            with started(measuring.cores.pinned(command), folder, task) as server:
                return posted(server, port, path, measuring.scale.requests, connections)

    figures = measured("rabbitmq intake", [OURS, BARE], measuring.scale.rounds, measure)
    rounds = list(zip(figures[OURS.name], figures[BARE.name], strict=True))
    name = f"rabbitmq intake, {connections} connections: worker / bare route"
    return [paired(name, "posts/s", rounds, GOALS["intake"]["bare route"])]


def _bare(port: int) -> list[str]:
    return [sys.executable, "-m", BARE.module, str(port)]
