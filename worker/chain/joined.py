"""Steps joined into one call: it costs what their calls cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from worker.chain.chain import Step
from worker.chain.context import ChainContext
from worker.chain.lazy import Call, LazyStep

C = TypeVar("C", bound=ChainContext)


def joined(steps: Sequence[Step[LazyStep[C]]]) -> Call[C]:
    """Make one call of steps that are all quiet: they run in order until one of them stops the run.

    It does what a ``Runner`` of them does, which has nothing to ask between them, but that it raises what a step raises.
    ``test_short_ways_laws`` runs both.
    """
    calls = tuple(step.run.run for step in steps)
    if len(calls) == 1:
        return calls[0]

    async def run(context: C) -> None:
        context.stopped = False
        for call in calls:
            left = call(context)
            if left is not None:
                await left
            if context.stopped:
                return

    return run
