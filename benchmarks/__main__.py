"""``python -m benchmarks [NAME ...] [--rounds N] [--quick] [--json FILE]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from benchmarks import consume, idle, intake, latency, machine, publish
from benchmarks.result import Result
from benchmarks.scale import FULL, QUICK, Scale
from benchmarks.table import lines

BENCHMARKS: dict[str, Callable[[Scale, Path], list[Result]]] = {
    "consume": consume.run,
    "publish": publish.run,
    "intake": intake.run,
    "latency": latency.run,
    "idle": idle.run,
}


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks that were asked for and print the table; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--rounds", type=int, help="pairs of measurements; the more, the less noise counts")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: shows that it runs, measures nothing"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds: a whole number, 1 or more")
    scale = QUICK if given.quick else FULL
    if given.rounds is not None:
        scale = msgspec.structs.replace(scale, rounds=given.rounds)
    results: list[Result] = []
    for name in given.names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="worker-bench-") as folder:
            results += BENCHMARKS[name](scale, Path(folder))
    facts = machine.facts()
    print("\n".join([*(f"{key}: {value}" for key, value in facts.items()), "", *lines(results)]))
    if given.json is not None:
        document = {"machine": facts, "results": results}
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(document)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
