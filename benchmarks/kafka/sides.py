"""The clients that take part on Kafka, and the goals."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.contest import environment
from benchmarks.contest.contest import Contest
from benchmarks.contest.results import Goals
from benchmarks.contest.sides import Ours, Peer
from benchmarks.result import Goal

_MODULES = "benchmarks.peers.kafka"
OURS = Ours("worker", "kafka")
TRACKED = Ours("worker tracked", "kafka", "TrackedWork")
RAW = (
    Peer("aiokafka", f"{_MODULES}.raw_aiokafka"),
    Peer("aiokafka timed", f"{_MODULES}.raw_timed"),
    Peer("aiokafka iterated", f"{_MODULES}.raw_iterated"),
)
PEERS = ("confluent", "faststream")
GOALS: Mapping[str, Goals] = {
    "consume": {
        "aiokafka": (Goal(2.0),),
        "aiokafka timed": (Goal(0.8),),
        "aiokafka iterated": (Goal(0.8),),
        "faststream": (Goal(3.0),),
    },
    "publish": {"aiokafka": (Goal(1.0),)},
}


def contest(*, peers: bool) -> Contest:
    """Make the contest: against the raw client, which is here, and where asked for against others."""
    python = environment.python() if peers else ""
    others = [Peer(name, f"{_MODULES}.with_{name}", python) for name in PEERS if peers]
    return Contest("kafka", OURS, TRACKED, [*RAW, *others], GOALS)


def versions(*, peers: bool) -> dict[str, str]:
    """Versions of the libraries of those that take part."""
    found = environment.versions(["aiokafka", "msgspec", "uvloop"])
    if peers:
        found |= environment.versions(["confluent-kafka", "faststream"], environment.python())
    return found
