"""A chain made ready to run: what can never apply is left out, the rest is called in order.

Knows nothing of what travels: an envelope through a bus, a request through its stages, the context of an action.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar, Union, runtime_checkable

from worker.chain.chain import Chain
from worker.chain.conditions import Condition, applies

T = TypeVar("T")
"""What travels through a chain."""
R = TypeVar("R")

ROOM = 32
"""Sets of names for which a compiled chain is kept; the one that was not used for longest makes room."""

Facts = Mapping[str, Any]
Onward = Callable[[T], Awaitable[T]]
"""Runs the rest of a chain."""
Around = Callable[[T, Onward[T]], Awaitable[T]]
"""A step around the rest of its chain; where it does not call that, the chain ends there."""


@runtime_checkable
class ForFacts(Protocol[T]):
    """A step that finds out what it can when its chain is compiled, not with each thing that travels."""

    def for_facts(self, facts: Facts, onward: Onward[T]) -> Onward[T] | None:
        """Return what runs the chain from this step on where these facts hold; None where there is nothing to do.

        Args:
            facts: what holds for all that will travel through it.
            onward: runs the rest of the chain.
        """
        ...


Part = Union[Around[T], ForFacts[T]]  # noqa: UP007 - a plain | of these has no parameters left to fill
"""What the steps of a nested chain hold."""


def nested(chain: Chain[Part[T]], facts: Facts, attributes: Callable[[T], Facts]) -> Onward[T]:
    """Make the steps that can run where ``facts`` hold into calls, each around the rest; the last one's rest does nothing.

    Args:
        chain: its steps.
        facts: what holds for all that will travel through it.
        attributes: reads what conditions ask besides; called just before each step that has some left.
    """
    run: Onward[T] = _nothing_left
    for step in reversed(chain.where(facts).steps):
        own = step.run.for_facts(facts, run) if isinstance(step.run, ForFacts) else _around(step.run, run)
        if own is not None:
            run = _asked(own, step.when, run, attributes) if step.when else own
    return run


class Narrowed(Generic[R]):
    """What a chain comes to where an attribute holds only some of its names: made once for each set that occurs.

    Only names that a condition asks for make a difference, and ``ROOM`` sets are kept at most: who chooses the names
    cannot make it grow.

    Args:
        chain: its steps, those that can run.
        attribute: the one that holds the names.
        names: those that it holds unless it is narrowed.
        make: makes what the chain comes to where it holds these.

    Attributes:
        whole: what it comes to with all the names.
        varies: whether fewer names may come to something else.
    """

    def __init__(
        self,
        chain: Chain[Any],
        attribute: str,
        names: Sequence[str],
        make: Callable[[tuple[str, ...]], R],
    ) -> None:
        self._asked = chain.values_of(attribute).intersection(names)
        self._made = lru_cache(ROOM)(lambda held: make(tuple(name for name in names if name in held)))
        self.whole = make(tuple(names))
        self.varies = bool(self._asked)

    def to(self, names: Iterable[str]) -> R:
        """Return what it comes to where the attribute holds no others than these."""
        return self._made(self._asked.intersection(names))


async def _nothing_left(item: T) -> T:
    return item


def _around(run: Around[T], onward: Onward[T]) -> Onward[T]:
    def around(item: T) -> Awaitable[T]:
        return run(item, onward)

    return around


def _asked(
    run: Onward[T], when: Sequence[Condition], onward: Onward[T], attributes: Callable[[T], Facts]
) -> Onward[T]:
    def asked(item: T) -> Awaitable[T]:
        return run(item) if applies(when, attributes(item)) else onward(item)

    return asked
