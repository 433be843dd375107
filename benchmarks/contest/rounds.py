"""Rounds: every side once in each, ours beside its nearest rival, in reverse order every second time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from benchmarks.contest.sides import Side

T = TypeVar("T")


def measured(
    what: str, sides: Sequence[Side], rounds: int, measure: Callable[[Side], T]
) -> dict[str, list[T]]:
    """Measure all sides in all rounds; return each one's figures by its name, a round each."""
    figures: dict[str, list[T]] = {side.name: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            print(f"  {what}, round {number + 1} of {rounds}: {side.name}", file=sys.stderr, flush=True)
            figures[side.name].append(measure(side))
    return figures
