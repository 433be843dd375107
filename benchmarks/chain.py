"""Chains with conditions: 40 steps of which 5 apply, beside a chain of those 5 alone, which asks nothing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from benchmarks.result import Goal, Result
from benchmarks.scale import Scale
from worker.chain.chain import Step, build
from worker.chain.conditions import parse_all
from worker.chain.context import ChainContext
from worker.chain.lazy import LazyStep
from worker.chain.running import Runner

_APPLY, _ALL = 5, 40
_GOAL = Goal(limit=1.5, least=False)
_ATTRIBUTES = {"request_type": ["rest", "json_api"], "format": "json"}


def run(scale: Scale, folder: Path) -> list[Result]:
    """Measure runs whose conditions are checked each time, and runs whose conditions are decided once at start."""
    del folder
    few = Runner(build(_steps(0)))
    many = build([*_steps(0), *_steps(_ALL - _APPLY)])
    conditional = build([*_steps(0, request_type="rest&json_api"), *_steps(_ALL - _APPLY)])
    return [
        _result("chain, 5 of 40 steps by conditions", scale, few, Runner(conditional)),
        _result("chain, 5 of 40 steps known at start", scale, few, Runner(many.where(_ATTRIBUTES))),
    ]


def _result(name: str, scale: Scale, few: Runner[ChainContext], many: Runner[ChainContext]) -> Result:
    rounds = [asyncio.run(_round(few, many, max(100, scale.probes * 20))) for _ in range(scale.rounds)]
    return Result(
        name=name,
        unit="us a run",
        ours=[ours for ours, _ in rounds],
        bare=[bare for _, bare in rounds],
        goals=[_GOAL],
    )


async def _round(few: Runner[ChainContext], many: Runner[ChainContext], runs: int) -> tuple[float, float]:
    """Run both in turns, so that what disturbs the machine disturbs both."""
    spent = [0.0, 0.0]
    for _ in range(runs):
        for place, runner in enumerate((many, few)):
            started = time.perf_counter()
            await runner.run(ChainContext("export", _ATTRIBUTES))
            spent[place] += time.perf_counter() - started
    return spent[0] / runs * 1e6, spent[1] / runs * 1e6


def _steps(others: int, **when: object) -> list[Step[LazyStep[ChainContext]]]:
    """Five steps that apply, or others that do not."""
    if not others:
        return [Step(f"step{number}", _lazy(), when=parse_all(when)) for number in range(_APPLY)]
    never = parse_all({"request_type": "!rest", "format": "csv"})
    return [Step(f"other{number}", _lazy(), when=never) for number in range(others)]


def _lazy() -> LazyStep[ChainContext]:
    async def step(context: ChainContext) -> None: ...

    return LazyStep.of(step)
