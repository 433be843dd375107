"""The clients that take part on Pub/Sub, and the goals."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.contest import environment
from benchmarks.contest.contest import Contest
from benchmarks.contest.results import Goals
from benchmarks.contest.sides import Ours, Peer
from benchmarks.result import Goal

_MODULES = "benchmarks.peers.pubsub"
_AS_THE_SERVICE = "copies = false"
"""The service loses nothing that it confirmed; for the emulator the worker would else keep copies in its database."""

OURS = Ours("worker", "pubsub", options=_AS_THE_SERVICE)
TRACKED = Ours("worker tracked", "pubsub", "TrackedWork", options=_AS_THE_SERVICE)
RAW = (
    Peer("asyncio pull", f"{_MODULES}.raw_asyncio"),
    Peer("threaded", f"{_MODULES}.raw_threaded"),
)
"""Both are Google's, in the library that the worker uses, too."""

STREAM = Peer("asyncio stream", f"{_MODULES}.raw_streaming")
"""Another way to take messages; it sends as ``asyncio pull`` does, so it takes part in consuming only."""

GOALS: Mapping[str, Goals] = {
    "consume": {
        "asyncio pull": (Goal(1.0, "cpu", least=False),),
        "threaded": (Goal(0.5, "cpu", least=False),),
    },
    "publish": {"asyncio pull": (Goal(1.0),)},
}
"""For consuming by processor time, as the emulator limits the rates."""


CONSUMING = Contest("pubsub", OURS, TRACKED, (*RAW, STREAM), GOALS)
PUBLISHING = Contest("pubsub", OURS, TRACKED, RAW, GOALS)


def versions() -> dict[str, str]:
    """Versions of the libraries of those that take part."""
    return environment.versions(["google-cloud-pubsub", "grpcio", "protobuf", "uvloop"])
