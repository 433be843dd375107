"""A lazy step: made when it first runs, once, whatever number of entries it has."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

C = TypeVar("C")
"""The context that a step takes."""

Call = Callable[[C], Awaitable[object]]
"""Runs a step."""


class LazyStep(Generic[C]):
    """What a chain's entry runs.

    Args:
        make: gives the call; called when the step first runs. Where it raises, it is called again the next time.

    Attributes:
        run: runs the step with a context.
    """

    __slots__ = ("_lock", "_made", "_make", "run")

    def __init__(self, make: Callable[[], Call[C]]) -> None:
        self._make = make
        self._made: Call[C] | None = None
        self._lock = threading.RLock()  # an application may have several loops
        self.run: Call[C] = self._first

    @classmethod
    def of(cls, call: Callable[[C], Any]) -> LazyStep[C]:
        """Make one of what is there already: a function or a bound method of the context."""
        return cls(lambda: as_call(call))

    async def _first(self, context: C) -> object:
        with self._lock:
            made = self._made
            if made is None:
                made = self._made = self._make()
            self.run = made
        return await made(context)


def as_call(call: Callable[[C], Any]) -> Call[C]:
    """Give a function of a context a form that can be awaited; a plain one runs in a thread."""
    if inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None)):  # noqa: B004 - an object's own
        return call

    return _in_thread(call)


def _in_thread(call: Callable[[C], Any]) -> Call[C]:
    async def in_thread(context: C) -> object:
        result = await asyncio.to_thread(call, context)
        return await result if inspect.isawaitable(result) else result

    return in_thread
