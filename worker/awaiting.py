"""Awaiting what an application's code is, ``async def`` or ``def``: the one place that gives a plain one a thread."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

AnyCall = Callable[..., Awaitable[Any]]
Outcome = tuple[Any, BaseException | None]
"""What a call returned, or what it raised: no future takes a StopIteration, and one with GeneratorExit closes the coroutine that waits."""


def awaitable(call: Callable[..., Any]) -> AnyCall:
    """Give a function a form that can be awaited; a plain one runs in a thread, and what it returns is awaited where it has to be.

    A ``StopIteration`` that it raises is a ``RuntimeError``, as it is from an async one.
    """
    if inspect.iscoroutinefunction(call):
        return call

    def run(*given: Any) -> Outcome:
        """Call it, in the thread."""
        try:
            return call(*given), None
        except BaseException as error:
            return None, error

    async def in_thread(*given: Any) -> Any:
        """Call it in a thread."""
        result, error = await asyncio.to_thread(run, *given)
        if error is not None:
            try:
                raise error
            finally:
                del error  # or its traceback would hold it, and itself
        return await result if inspect.isawaitable(result) else result

    return in_thread
