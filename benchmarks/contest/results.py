"""Turns the figures of all sides into results: ours next to each of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import quantiles

from benchmarks.contest.measuring import Idling
from benchmarks.result import Figure, Goal, Result, paired

Goals = Mapping[str, Sequence[Goal]]
"""By the name of the side that ours is compared with."""


def rates(
    name: str, unit: str, figures: Mapping[str, Sequence[Figure]], goals: Goals, ours: str
) -> list[Result]:
    """Compare messages a second and processor time a message."""
    return [
        paired(
            f"{name}: {ours} / {other}",
            unit,
            list(zip(figures[ours], found, strict=True)),
            goals.get(other, ()),
        )
        for other, found in figures.items()
        if other != ours
    ]


def latencies(
    name: str, figures: Mapping[str, Sequence[Sequence[float]]], goals: Goals, ours: str
) -> list[Result]:
    """Compare the median and the 99th percentile of each round, in milliseconds."""
    results = []
    for percent in (50, 99):
        cut = {side: [_percentile(one, percent) for one in found] for side, found in figures.items()}
        results += _compared(f"{name} p{percent}", "ms", cut, goals, ours)
    return results


def idlings(name: str, figures: Mapping[str, Sequence[Idling]], goals: Goals, ours: str) -> list[Result]:
    """Compare the start, the memory and the processor time of processes that wait; goals by what is compared."""
    results = []
    for what, unit in (("start", "s"), ("memory", "MiB"), ("processor", "%")):
        cut = {side: [getattr(one, what) for one in found] for side, found in figures.items()}
        aims = {side: goals.get(what, ()) for side in list(cut)[1:2]}  # once: they are about the worker alone
        results += _compared(f"{name} {what}", unit, cut, aims, ours)
    return results


def _compared(
    name: str, unit: str, figures: Mapping[str, Sequence[float]], goals: Goals, ours: str
) -> list[Result]:
    return [
        Result(
            name=f"{name}: {ours} / {other}",
            unit=unit,
            ours=figures[ours],
            bare=found,
            goals=goals.get(other, ()),
        )
        for other, found in figures.items()
        if other != ours
    ]


def _percentile(delays: Sequence[float], percent: int) -> float:
    return quantiles(delays, n=100, method="inclusive")[percent - 1]
