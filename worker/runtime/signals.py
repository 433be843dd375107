"""Signals: TERM, HUP and the first INT ask a process to finish; the second INT forces it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def stop_signals(stop: Callable[[str], None], force: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` with the signal's name on TERM, HUP and the first INT, ``force`` on the next INT."""
    loop = asyncio.get_running_loop()
    seen: list[str] = []

    def ask(name: str) -> None:
        if name == "SIGINT" and "SIGINT" in seen:
            force()
            return
        seen.append(name)
        stop(name)

    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, ask, number.name)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
