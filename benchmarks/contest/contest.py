"""A contest: what is measured, which clients take part, and the goals; the same for every broker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from benchmarks.contest import results
from benchmarks.contest.measuring import Measuring
from benchmarks.contest.results import Goals
from benchmarks.contest.rounds import measured
from benchmarks.contest.sides import Side
from benchmarks.result import Figure, Goal, Result

TRACKED = (Goal(0.6),)
"""What keeping the status may cost: the rate of consuming with it, divided by that without."""


class Contest(msgspec.Struct, frozen=True):
    """The clients that are compared on one broker.

    Attributes:
        name: of the broker.
        ours: the worker.
        tracked: the worker with the status of its commands kept.
        others: the nearest rival first.
        goals: by measure, then by rival; for ``idle`` by what is compared.
    """

    name: str
    ours: Side
    tracked: Side
    others: Sequence[Side]
    goals: Mapping[str, Goals]

    def consume(self, measuring: Measuring) -> list[Result]:
        """Messages a second from a queue that was filled before."""
        figures = measured(
            f"{self.name} consume",
            [self.tracked, self.ours, *self.others],
            measuring.scale.rounds,
            measuring.consume,
        )
        tracked = figures.pop(self.tracked.name)
        return [
            *self._rates("consume", figures),
            *results.rates(
                f"{self.name} consume",
                "messages/s",
                {self.tracked.name: tracked, self.ours.name: figures[self.ours.name]},
                {self.ours.name: TRACKED},
                self.tracked.name,
            ),
        ]

    def publish(self, measuring: Measuring) -> list[Result]:
        """Confirmed messages a second."""
        return self._rates(
            "publish",
            measured(
                f"{self.name} publish", [self.ours, *self.others], measuring.scale.rounds, measuring.publish
            ),
        )

    def latency(self, measuring: Measuring) -> list[Result]:
        """From sending to handling, at a low rate."""
        figures = measured(
            f"{self.name} latency", [self.ours, *self.others], measuring.scale.rounds, measuring.latency
        )
        goals = self.goals.get("latency", {})
        return results.latencies(f"{self.name} latency", figures, goals, self.ours.name)

    def idle(self, measuring: Measuring) -> list[Result]:
        """Start to the first message, then memory and processor time of a process that waits."""
        figures = measured(
            f"{self.name} idle", [self.ours, *self.others], measuring.scale.rounds, measuring.idle
        )
        return results.idlings(f"{self.name} idle", figures, self.goals.get("idle", {}), self.ours.name)

    def _rates(self, what: str, figures: Mapping[str, Sequence[Figure]]) -> list[Result]:
        goals = self.goals.get(what, {})
        return results.rates(f"{self.name} {what}", "messages/s", figures, goals, self.ours.name)
