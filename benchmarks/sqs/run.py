"""Runs the contest on SQS."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.contest.broker import broker
from benchmarks.contest.cores import Cores
from benchmarks.contest.measuring import Measuring
from benchmarks.result import Result
from benchmarks.scale import Scale
from benchmarks.sqs import MEASURES, sides
from benchmarks.sqs.ground import SqsGround


def run(
    measures: Sequence[str], scale: Scale, folder: Path, *, peers: bool
) -> tuple[list[Result], dict[str, str]]:
    """Measure what was asked for; return the results, and facts about the broker, the cores and the libraries.

    Raises:
        NoBroker: there is none here; says how to get one.
    """
    # the tests' servers and credentials are there in an environment for development only
    from tests.brokers.sqs import ENVIRONMENT

    os.environ.update(ENVIRONMENT)  # the programs get it, too: no real credentials are used
    contest = sides.contest(peers=peers)
    cores = Cores()
    with broker("sqs", cores) as found:
        measuring = Measuring(SqsGround(found), cores, scale, folder)
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
