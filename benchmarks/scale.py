"""How much is measured."""

from __future__ import annotations

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of all benchmarks.

    Attributes:
        rounds: pairs of measurements, one side after the other.
        messages: consumed or published in one measurement.
        requests: posted in one measurement.
        connections: of the client, one result each.
        probes: messages whose latency is taken in a round.
        pace: seconds between them.
        idle: seconds for which an idle process is watched.
    """

    rounds: int
    messages: int
    requests: int
    connections: tuple[int, ...]
    probes: int
    pace: float
    idle: float


FULL = Scale(
    rounds=5, messages=20_000, requests=10_000, connections=(64, 256), probes=1000, pace=0.01, idle=5.0
)
QUICK = Scale(rounds=1, messages=150, requests=40, connections=(8,), probes=5, pace=0.01, idle=0.2)
