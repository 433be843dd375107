"""A result: figures of every round, next to those of the bare library where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import msgspec


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table.

    Attributes:
        name: what was measured.
        unit: of the figures.
        ours: one figure a round.
        bare: the reference's figure of the same round; empty where there is nothing to compare with.
        goal: the ratio to reach; None for none.
        cpu: our processor time a message in microseconds, a round; empty where it was not taken.
        bare_cpu: the reference's.
    """

    name: str
    unit: str
    ours: Sequence[float]
    bare: Sequence[float] = ()
    goal: float | None = None
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


class Figure(msgspec.Struct, frozen=True):
    """What one measurement brought: a rate a second, and processor microseconds a message."""

    rate: float
    cpu: float


def paired(
    name: str, unit: str, rounds: Sequence[tuple[Figure, Figure]], goal: float | None = None
) -> Result:
    """Make a result of rounds of (ours, the reference's)."""
    return Result(
        name=name,
        unit=unit,
        ours=[ours.rate for ours, _ in rounds],
        bare=[bare.rate for _, bare in rounds],
        goal=goal,
        cpu=[ours.cpu for ours, _ in rounds],
        bare_cpu=[bare.cpu for _, bare in rounds],
    )
