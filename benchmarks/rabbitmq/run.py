"""Runs the contest on RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.contest.broker import broker
from benchmarks.contest.cores import Cores
from benchmarks.contest.measuring import Measuring
from benchmarks.rabbitmq import MEASURES, sides
from benchmarks.rabbitmq.client import client
from benchmarks.rabbitmq.ground import RabbitGround
from benchmarks.rabbitmq.intake import intake
from benchmarks.result import Result
from benchmarks.scale import Scale


def run(
    measures: Sequence[str], scale: Scale, folder: Path, *, peers: bool
) -> tuple[list[Result], dict[str, str]]:
    """Measure what was asked for; return the results, and facts about the broker, the cores and the libraries.

    Raises:
        NoBroker: there is none here; says how to get one.
    """
    contest = sides.contest(peers=peers)
    cores = Cores()
    results: list[Result] = []
    facts: dict[str, str] = {}
    publishing: Mapping[str, Callable[[Measuring], list[Result]]] = {
        "publish": contest.publish,
        "client": client,
    }
    if publishing.keys() & set(measures):
        # nothing else loads the machine: on one core the broker would be the limit of every client
        with broker("rabbitmq", cores, everywhere=True) as found:
            measuring = Measuring(RabbitGround(found), cores, scale, _inside(folder, "publish"))
            for name, measure in publishing.items():
                if name in measures:
                    results += measure(measuring)
            facts |= RabbitGround(found).facts()
            facts["publishing"] = cores.alone()
    if set(measures) - publishing.keys():
        with broker("rabbitmq", cores) as found:
            measuring = Measuring(RabbitGround(found), cores, scale, _inside(folder, "others"))
            does: Mapping[str, Callable[[Measuring], list[Result]]] = {
                "consume": contest.consume,
                "intake": intake,
                "latency": contest.latency,
                "idle": contest.idle,
            }
            for name in MEASURES:
                if name in measures and name in does:
                    results += does[name](measuring)
            facts |= measuring.ground.facts()
            facts["pinned"] = cores.describe(broker=found.how.startswith("started"))
    libraries = sides.versions(peers=peers)
    facts["libraries"] = ", ".join(f"{name} {version}" for name, version in libraries.items())
    return results, facts


def _inside(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made
