"""A result: figures of every round, next to those of the bare library where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec


class Goal(msgspec.Struct, frozen=True):
    """A goal: shown beside the result, never an assertion.

    Attributes:
        limit: the figure to reach.
        of: what is compared with it: the ratio, the ratio of processor times, or the worker's own figure; medians.
        least: whether ``limit`` is the least that is good; else it is the most.
    """

    limit: float
    of: Literal["ratio", "cpu", "ours"] = "ratio"
    least: bool = True

    def text(self, result: Result) -> str:
        """Write it down, and whether it was reached."""
        found = {
            "ratio": result.ratio,
            "cpu": result.cpu_ratio,
            "ours": median(result.ours) if result.ours else None,
        }[self.of]
        sign = ">=" if self.least else "<="
        what = "CPU " if self.of == "cpu" else ""
        if found is None:
            return f"{what}{sign} {self.limit:g}"
        met = found >= self.limit if self.least else found <= self.limit
        return f"{what}{sign} {self.limit:g} {'met' if met else 'missed'}"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table.

    Attributes:
        name: what was measured.
        unit: of the figures.
        ours: the worker's figure in each round.
        bare: the reference's figure in the same round; empty where there is nothing to compare with.
        goals: to reach.
        cpu: the worker's processor time for a message in each round, microseconds; empty where it was not measured.
        bare_cpu: the reference's.
    """

    name: str
    unit: str
    ours: Sequence[float]
    bare: Sequence[float] = ()
    goals: Sequence[Goal] = ()
    cpu: Sequence[float] = ()
    bare_cpu: Sequence[float] = ()

    @property
    def ratios(self) -> list[float]:
        """Ours by the reference's, round by round: what disturbs the machine disturbs both."""
        return [ours / bare for ours, bare in zip(self.ours, self.bare, strict=bool(self.bare)) if bare]

    @property
    def ratio(self) -> float | None:
        """The median of the ratios."""
        return median(self.ratios) if self.ratios else None

    @property
    def cpu_ratio(self) -> float | None:
        """The median of our processor time by the reference's, round by round."""
        pairs = zip(self.cpu, self.bare_cpu, strict=bool(self.bare_cpu))
        ratios = [ours / bare for ours, bare in pairs if bare]
        return median(ratios) if ratios else None


class Figure(msgspec.Struct, frozen=True):
    """What one measurement brought: a rate a second, and processor microseconds a message."""

    rate: float
    cpu: float


def paired(
    name: str, unit: str, rounds: Sequence[tuple[Figure, Figure]], goals: Sequence[Goal] = ()
) -> Result:
    """Make a result of rounds of (ours, the reference's)."""
    return Result(
        name=name,
        unit=unit,
        ours=[ours.rate for ours, _ in rounds],
        bare=[bare.rate for _, bare in rounds],
        goals=goals,
        cpu=[ours.cpu for ours, _ in rounds],
        bare_cpu=[bare.cpu for _, bare in rounds],
    )
