"""A lazy step: made when it first runs, once, whatever number of entries it has."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, cast

from worker.awaiting import awaitable

C = TypeVar("C")
"""The context that a step takes."""

Call = Callable[[C], Awaitable[object] | None]
"""Runs a step: what is left of it has to be awaited; None where nothing is."""


class LazyStep(Generic[C]):
    """What a chain's entry runs.

    Args:
        make: gives the call; called when the step first runs. Where it raises, it is called again the next time.

    Attributes:
        run: runs the step with a context.
        quiet: whether it is the product's own and passes the context on to no other code: it says nothing about what runs
            next but that the run stops.
    """

    __slots__ = ("_lock", "_made", "_make", "quiet", "run")

    def __init__(self, make: Callable[[], Call[C]]) -> None:
        self._make = make
        self._made: Call[C] | None = None
        self._lock = threading.RLock()  # an application may have several loops
        self.quiet = False
        self.run: Call[C] = self._first

    @classmethod
    def of(cls, call: Callable[[C], Any]) -> LazyStep[C]:
        """Make one of what is there already: a function or a bound method of the context."""
        return cls(lambda: as_call(call))

    @classmethod
    def ready(cls, call: Call[C], *, quiet: bool) -> LazyStep[C]:
        """Make one of the product's own: a plain function of these waits for nothing, and needs no thread."""
        # calling an object costs more than calling its method
        run: Call[C] = call if inspect.isroutine(call) else cast("Any", call).__call__
        made = cls(lambda: run)
        made.run, made.quiet = run, quiet
        return made

    def _first(self, context: C) -> Awaitable[object] | None:
        with self._lock:
            made = self._made
            if made is None:
                made = self._made = self._make()
            self.run = made
        return made(context)


def as_call(call: Callable[[C], Any]) -> Call[C]:
    """Give a function of a context a form that can be awaited; a plain one runs in a thread."""
    if inspect.iscoroutinefunction(getattr(call, "__call__", None)):  # noqa: B004 - an object's own
        return call
    return awaitable(call)
