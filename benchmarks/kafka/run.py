"""Runs the contest on Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks.contest.broker import broker
from benchmarks.contest.cores import Cores
from benchmarks.contest.measuring import Measuring
from benchmarks.kafka import MEASURES, sides
from benchmarks.kafka.ground import KafkaGround
from benchmarks.result import Result
from benchmarks.scale import Scale

TIMES = 20
"""More messages than elsewhere: the quickest client's window would be a twentieth of a second."""


def run(
    measures: Sequence[str], scale: Scale, folder: Path, *, peers: bool
) -> tuple[list[Result], dict[str, str]]:
    """Measure what was asked for; return the results, and facts about the broker, the cores and the libraries.

    Raises:
        NoBroker: there is none here; says how to get one.
    """
    contest = sides.contest(peers=peers)
    cores = Cores()
    scale = msgspec.structs.replace(scale, messages=scale.messages * TIMES)
    with broker("kafka", cores) as found:
        measuring = Measuring(KafkaGround(found), cores, scale, folder)
        does: Mapping[str, Callable[[Measuring], list[Result]]] = {
            "consume": contest.consume,
            "publish": contest.publish,
        }
        results = [result for name in MEASURES if name in measures for result in does[name](measuring)]
        facts = measuring.ground.facts()
        facts["pinned"] = cores.describe(broker=found.how.startswith("started"))
    libraries = sides.versions(peers=peers)
    facts["libraries"] = ", ".join(f"{name} {version}" for name, version in libraries.items())
    return results, facts
