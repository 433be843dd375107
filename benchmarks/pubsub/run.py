"""Runs the contest on Pub/Sub."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.contest.broker import broker
from benchmarks.contest.cores import Cores
from benchmarks.contest.measuring import Measuring
from benchmarks.pubsub import MEASURES, sides
from benchmarks.pubsub.ground import PubsubGround
from benchmarks.result import Result
from benchmarks.scale import Scale


def run(
    measures: Sequence[str], scale: Scale, folder: Path, *, peers: bool
) -> tuple[list[Result], dict[str, str]]:
    """Measure what was asked for; return the results, and facts about the broker, the cores and the libraries.

    ``peers`` adds no client: no framework among the others' peers speaks Pub/Sub.

    Raises:
        NoBroker: there is none here; says how to get one.
    """
    cores = Cores()
    with broker("pubsub", cores) as found:
        measuring = Measuring(PubsubGround(found), cores, scale, folder)
        does: Mapping[str, Callable[[Measuring], list[Result]]] = {
            "consume": sides.CONSUMING.consume,
            "publish": sides.PUBLISHING.publish,
        }
        results = [result for name in MEASURES if name in measures for result in does[name](measuring)]
        facts = measuring.ground.facts()
        facts["pinned"] = cores.describe(broker=hasattr(found, "kill"))
    facts["libraries"] = ", ".join(f"{name} {version}" for name, version in sides.versions().items())
    return results, facts
