"""Limits how long a request's steps may take, as a message's ``timeout`` limits its handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from worker.chain.lazy import Call
from worker.errors import HandlerTimeout
from worker.resources.event import RequestEvent


def limited(part: Call[RequestEvent], seconds: float, operation: str) -> Call[RequestEvent]:
    """Have a part of a request's chain cancelled where it takes longer; what it waits for in a thread goes on there.

    Args:
        part: of the chain.
        seconds: that it may take.
        operation: its name, for the error.
    """

    async def run(event: RequestEvent) -> None:
        """Run the part.

        Raises:
            HandlerTimeout: it took longer.
        """
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                left = part(event)
                if left is not None:
                    await left
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise HandlerTimeout(f"{operation} ran longer than {seconds:g} s") from error

    return run


async def unbroken(running: Awaitable[Any]) -> None:
    """Wait for what must not be left half done, such as a commit; a cancellation that comes meanwhile follows it."""
    task = asyncio.ensure_future(running)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
