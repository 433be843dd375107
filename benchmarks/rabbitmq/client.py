"""The client: confirmed sends a second with 1,000 in flight, next to what the intake does, which dispatches on its bus."""

from __future__ import annotations

from benchmarks.contest.measuring import Measuring
from benchmarks.contest.rounds import measured
from benchmarks.contest.sides import Ours
from benchmarks.rabbitmq.sides import GOALS, OURS
from benchmarks.result import Result, paired

CLIENT = Ours("client", "rabbitmq", publisher="benchmarks.contest.client")


def client(measuring: Measuring) -> list[Result]:
    """Measure both."""
    figures = measured("rabbitmq client", [CLIENT, OURS], measuring.scale.rounds, measuring.publish)
    rounds = list(zip(figures[CLIENT.name], figures[OURS.name], strict=True))
    return [
        paired(
            "rabbitmq client: client.send / the intake's bus", "messages/s", rounds, GOALS["client"]["bus"]
        )
    ]
