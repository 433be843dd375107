"""Runs the lazy steps of a chain, one after the other, over a context."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from worker.chain.chain import Chain
from worker.chain.context import ChainContext
from worker.chain.lazy import LazyStep
from worker.chain.plan import Plans
from worker.errors import StepFailed
from worker.raising import is_failure

C = TypeVar("C", bound=ChainContext)

NORMALIZE_RESULT = "normalize_result"
"""The group where a chain goes on after an error, where its action has it."""
_STRETCHES = 16
"""Of a run that are planned: where more steps than these change what follows, each is asked by itself, which costs the sum of
the steps and not their product."""


class Runner(Generic[C]):
    """Runs one chain, or a part of one.

    Three checkers are asked just before each step: the range of groups, the groups that are skipped, and the step's
    conditions; those that what is known at start decides are better left out beforehand (``Chain.where``). A step that
    does not run is not made.

    An error added to the context ends the run after the step that added it, or lets it go on at ``normalize_result``,
    where the chain has that group; so does an exception, as ``StepFailed``. From there on nothing ends it but an
    exception. Nothing runs twice.

    Args:
        chain: its steps.
    """

    def __init__(self, chain: Chain[LazyStep[C]]) -> None:
        self.chain = chain
        self._steps = chain.steps
        self._places = {group: place for place, group in enumerate(chain.groups)}
        self._plans = Plans(chain.steps)
        self._ending = chain.place_of(NORMALIZE_RESULT)

    async def run(self, context: C) -> None:
        """Run the steps that apply.

        Raises:
            StepFailed: a step raised, and there is no ``normalize_result`` to go on at, or it is in there or behind.
        """
        context.stopped = False
        steps = self._steps
        position, size, stretches = 0, len(steps), 0
        while position < size:  # a stretch, until something changes what follows
            stretches += 1
            asking = stretches > _STRETCHES
            errors, changes = len(context.errors), context.changes
            # whatever limits the groups counts as a change
            limited = asking or (
                changes > 0 and bool(context.skipped_groups or context.first_group or context.last_group)
            )
            places: Iterable[int]
            if asking:
                places, unchanged = self._asked(context, position), None
            else:
                places, unchanged = self._plans.only or self._plans.of(context.facts)
                places = places[bisect_left(places, position) :] if position else places
            position = size
            for place in places:
                step = steps[place]
                if limited and not self._in_range(context, step.group):
                    continue
                try:
                    left = step.run.run(context)
                    if left is not None:
                        await left
                except BaseException as error:
                    if not is_failure(error):
                        raise
                    position = self._after_failure(context, place, error)
                    break
                if context.stopped:
                    return
                if len(context.errors) > errors and (self._ending is None or place < self._ending):
                    ending = self._ending_after(context, place)
                    position = size if ending is None else ending
                    break
                if asking:
                    continue
                if context.changes != changes or (unchanged is not None and not unchanged()):
                    position = place + 1
                    break

    def _asked(self, context: C, position: int) -> Iterator[int]:
        """Places of the steps that apply from one on, each asked when those before it have run."""
        for place in range(position, len(self._steps)):
            if self._steps[place].applies(context.facts):
                yield place

    def _after_failure(self, context: C, place: int, error: BaseException) -> int:
        """Where the chain goes on after a step that raised.

        Raises:
            StepFailed: it does not.
        """
        step = self._steps[place]
        failed = StepFailed(step.name, context.action, step.group, error)
        ending = self._ending_after(context, place)
        if ending is None:
            raise failed from error
        failed.__cause__ = error
        context.add_error(failed)
        return ending

    def _ending_after(self, context: C, place: int) -> int | None:
        """Where the chain goes on after an error; None where it does not."""
        ahead = self._ending is not None and place < self._ending
        return self._ending if ahead and self._in_range(context, NORMALIZE_RESULT) else None

    def _in_range(self, context: C, group: str | None) -> bool:
        """Whether the range of groups, and those that are skipped, let the steps of a group run."""
        if group is None:
            return True
        if group in context.skipped_groups:
            return False
        places = self._places
        place = places[group]
        first, last = places.get(context.first_group or ""), places.get(context.last_group or "")
        return (first is None or place >= first) and (last is None or place <= last)
