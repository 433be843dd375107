"""Calling methods of an application's objects, ``async def`` or ``def``, and its predicates."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

AnyCall = Callable[..., Awaitable[Any]]


def awaitable(call: Callable[..., Any]) -> AnyCall:
    """Give a function a form that can be awaited; a plain one runs in a thread."""
    if inspect.iscoroutinefunction(call):
        return call

    async def in_thread(*given: Any) -> Any:
        """Call it in a thread, and await what it returns where that has to be."""
        result = await asyncio.to_thread(call, *given)
        return await result if inspect.isawaitable(result) else result

    return in_thread


async def said(predicate: Callable[..., Any], *given: Any) -> bool:
    """Ask a predicate, plain or async."""
    answer = predicate(*given)
    return bool(await answer if inspect.isawaitable(answer) else answer)
