"""The event loop that programs run on: uvloop where it exists; and a garbage collector that suits it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_THRESHOLDS = (10_000, 20, 20)


def run(main: Coroutine[object, object, T]) -> T:
    """Run a program that stays: on uvloop where it is installed, else on the standard loop."""
    with seldom_collecting():
        try:
            import uvloop
        except ImportError:  # there is none for Windows
            return asyncio.run(main)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Let the collector look less often, and never at what is there already: modules, types, the application.

    A thousand messages in flight are some ten thousand objects, none of them garbage. With the thresholds that
    Python starts with, a third of publishing's processor time is spent on looking at them again and again.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
