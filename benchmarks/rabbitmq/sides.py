"""The clients that take part on RabbitMQ, and the goals."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.contest import environment
from benchmarks.contest.contest import Contest
from benchmarks.contest.results import Goals
from benchmarks.contest.sides import Ours, Peer
from benchmarks.result import Goal

_MODULES = "benchmarks.peers.rabbitmq"
OURS = Ours("worker", "rabbitmq")
TRACKED = Ours("worker tracked", "rabbitmq", "TrackedWork")
RAW = (Peer("aio-pika", f"{_MODULES}.raw_aio_pika"), Peer("aiormq", f"{_MODULES}.raw_aiormq"))
PEERS = ("faststream", "taskiq", "dramatiq", "celery")
ONE_BY_ONE = ("dramatiq", "celery")
NO_SLOWER = Goal(1.0, least=False)
GOALS: Mapping[str, Goals] = {
    "consume": {"aio-pika": (Goal(3.0), Goal(0.3, "cpu", least=False)), "faststream": (Goal(6.0),)},
    "publish": {"aio-pika": (Goal(2.5),)},
    "client": {"bus": (Goal(0.9),)},
    "intake": {"bare route": (Goal(2.0),)},
    "latency": {"aio-pika": (NO_SLOWER,)},
    "idle": {
        "memory": (Goal(44.0, "ours", least=False),),
        "start": (Goal(0.35, "ours", least=False),),
    },
}


def contest(*, peers: bool) -> Contest:
    """Make the contest: against the raw libraries, which are here, and where asked for against frameworks."""
    python = environment.python() if peers else ""
    frameworks = [
        Peer(name, f"{_MODULES}.with_{name}", python, one_by_one=name in ONE_BY_ONE)
        for name in PEERS
        if peers
    ]
    return Contest("rabbitmq", OURS, TRACKED, [*RAW, *frameworks], GOALS)


def versions(*, peers: bool) -> dict[str, str]:
    """Versions of the libraries of those that take part."""
    found = environment.versions(["aio-pika", "aiormq", "pamqp", "starlette", "uvicorn"])
    if peers:
        names = [*PEERS, "taskiq-aio-pika", "kombu", "pika"]
        found |= environment.versions(names, environment.python())
    return found
