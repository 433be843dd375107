"""The clients that take part on SQS, and the goals."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.contest import environment
from benchmarks.contest.contest import Contest
from benchmarks.contest.results import Goals
from benchmarks.contest.sides import Ours, Peer
from benchmarks.result import Goal

_MODULES = "benchmarks.peers.sqs"
OURS = Ours("worker", "sqs")
TRACKED = Ours("worker tracked", "sqs", "TrackedWork")
RAW = (Peer("aiobotocore", f"{_MODULES}.raw_aiobotocore"),)
PEERS = ("celery",)
GOALS: Mapping[str, Goals] = {
    "consume": {
        "aiobotocore": (Goal(0.8, "cpu", least=False),),
        "celery": (Goal(0.15, "cpu", least=False),),
    },
}
"""By processor time: a server on the same machine is the limit of all rates."""


def contest(*, peers: bool) -> Contest:
    """Make the contest: against the raw client, which is here, and where asked for against Celery."""
    python = environment.python() if peers else ""
    others = [Peer(name, f"{_MODULES}.with_{name}", python, one_by_one=True) for name in PEERS if peers]
    return Contest("sqs", OURS, TRACKED, [*RAW, *others], GOALS)


def versions(*, peers: bool) -> dict[str, str]:
    """Versions of the libraries of those that take part."""
    found = environment.versions(["aiobotocore", "botocore", "aiohttp", "uvloop"])
    if peers:
        found |= environment.versions([*PEERS, "kombu", "boto3"], environment.python())
    return found
