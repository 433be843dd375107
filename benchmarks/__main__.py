"""``python -m benchmarks [NAME ...] [--rounds N] [--quick] [--peers] [--json FILE]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import bytecode, kafka, machine, postgres, pubsub, rabbitmq, resources, sqs
from benchmarks.result import Result
from benchmarks.scale import FULL, QUICK
from benchmarks.table import lines

BENCHMARKS = ("consume", "publish", "intake", "latency", "idle", "chain", "resource")
"""Each a module with ``run``, imported where it is asked for: together they take seconds."""
CONTESTS: dict[str, Any] = {
    "kafka": kafka,
    "postgres": postgres,
    "pubsub": pubsub,
    "rabbitmq": rabbitmq,
    "resources": resources,
    "sqs": sqs,
}
"""By broker: with ``MEASURES``, and a module ``run``; asked for by ``rabbitmq`` or ``rabbitmq.consume``."""


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks that were asked for and print the table; return the exit code."""
    given = _parsed(arguments)
    scale = QUICK if given.quick else FULL
    if given.rounds is not None:
        scale = msgspec.structs.replace(scale, rounds=given.rounds)
    results: list[Result] = []
    facts: dict[str, str] = {}
    bytecode.write()
    with tempfile.TemporaryDirectory(prefix="worker-bench-") as folder:
        for name in [name for name in BENCHMARKS if name in given.names]:
            print(f"{name} ...", file=sys.stderr, flush=True)
            place = Path(folder, name)
            place.mkdir()
            results += import_module(f"benchmarks.{name}").run(scale, place)
        for name, contest in CONTESTS.items():
            measures = [measure for measure in contest.MEASURES if f"{name}.{measure}" in given.names]
            if measures:
                print(f"{name} ...", file=sys.stderr, flush=True)
                place = Path(folder, name)
                place.mkdir()
                from benchmarks.contest.broker import NoBroker

                try:
                    run = import_module(f"benchmarks.{name}.run").run
                    found, told = run(measures, scale, place, peers=given.peers)
                except NoBroker as missing:
                    print(missing, file=sys.stderr)
                    return 1
                results += found
                facts |= told
    facts = machine.facts() | facts
    print("\n".join([*(f"{key}: {value}" for key, value in facts.items()), "", *lines(results)]))
    if given.json is not None:
        document = {"machine": facts, "results": results}
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(document)))
    return 0


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; a contest's name stands for all of its measures."""
    contests = {name: [f"{name}.{measure}" for measure in one.MEASURES] for name, one in CONTESTS.items()}
    known = [*BENCHMARKS, *contests, *(name for names in contests.values() for name in names)]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(known)}; default: {', '.join(BENCHMARKS)}, which need no broker",
    )
    parser.add_argument("--rounds", type=int, help="pairs of measurements; the more, the less noise counts")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: shows that it runs, measures nothing"
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="with a broker: next to other frameworks too, in an environment that is made for them (network)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(known))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds: a whole number, 1 or more")
    names = given.names or list(BENCHMARKS)
    given.names = {one for name in names for one in contests.get(name, [name])}
    return given


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
