"""What a library does is awaited for a bounded time, whatever it does with its cancellation."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from worker.messaging.bounded import bounded, closed


class Stubborn:
    """Closes when it is let, and takes no cancellation before."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    async def close(self) -> None:
        while not self.let.is_set():
            self.began.set()
            with contextlib.suppress(asyncio.CancelledError):
                await self.let.wait()
        self.ended.set()


async def test_what_swallows_its_cancellation_is_not_waited_for() -> None:
    """Else a broker that is silent holds up the end of a process."""
    stubborn = Stubborn()
    with pytest.raises(TimeoutError):
        await bounded(stubborn.close(), 0.01)
    await closed(stubborn.close(), 0.01)
    stubborn.let.set()
    await stubborn.ended.wait()


async def test_who_waits_can_be_cancelled_all_the_same() -> None:
    """At once, and what is under way is told."""
    stubborn = Stubborn()
    waiting = asyncio.ensure_future(bounded(stubborn.close(), 3600.0))
    await stubborn.began.wait()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled() and not stubborn.ended.is_set()
    stubborn.let.set()
    await stubborn.ended.wait()


async def test_what_ends_in_time_gives_its_result_or_its_error() -> None:
    """An error while closing is not raised: what is closed is not used again."""

    async def answer() -> int:
        return 3

    async def fail() -> None:
        raise OSError("reset")

    assert await bounded(answer(), 10.0) == 3
    with pytest.raises(OSError, match="reset"):
        await bounded(fail(), 10.0)
    await closed(fail(), 10.0)


async def test_what_waits_again_when_it_is_cancelled_is_cancelled_again() -> None:
    """Else the code that ends the loop waits for it for ever: aio-pika waits for the end of a connection that has none."""

    async def close() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.Event().wait()

    closing = asyncio.ensure_future(close())
    with pytest.raises(TimeoutError):
        await bounded(closing, 0.01)
    await asyncio.wait({closing})
    assert closing.cancelled()
