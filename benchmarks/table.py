"""The table of results, for reading."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.result import Result

_HEAD = ("benchmark", "unit", "ours [range]", "bare [range]", "ratio [range]", "CPU us ours/bare", "goal")


def lines(results: Sequence[Result]) -> list[str]:
    """Write the results under one head, columns aligned; medians, with the range over all rounds."""
    rows = [_HEAD, *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return [line.rstrip() for line in text]


def _row(result: Result) -> tuple[str, ...]:
    cpu = _number(median(result.cpu)) if result.cpu else ""
    if result.bare_cpu:
        cpu += f" / {_number(median(result.bare_cpu))}"
        cpu += f" = {_number(result.cpu_ratio)}" if result.cpu_ratio is not None else ""
    return (
        result.name,
        result.unit,
        _spread(result.ours),
        _spread(result.bare),
        _spread(result.ratios),
        cpu,
        ", ".join(goal.text(result) for goal in result.goals),
    )


def _spread(figures: Sequence[float]) -> str:
    if not figures:
        return ""
    if len(figures) == 1:
        return _number(figures[0])
    return f"{_number(median(figures))} [{_number(min(figures))}-{_number(max(figures))}]"


def _number(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"
