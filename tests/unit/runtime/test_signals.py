"""Signals: the first asks to finish, the second interrupt forces."""

from __future__ import annotations

import os
import signal

from tests.unit.runtime.house import until
from worker.runtime.signals import stop_signals


async def test_term_and_the_first_interrupt_stop_and_the_second_forces() -> None:
    """Each signal asks to stop by its name, and only a repeated INT forces; afterwards all is as before."""
    before = signal.getsignal(signal.SIGTERM)
    seen: list[str] = []
    with stop_signals(seen.append, lambda: seen.append("force")):
        for count, number in enumerate((signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGINT), 1):
            os.kill(os.getpid(), number)
            await until(lambda wanted=count: len(seen) == wanted)
    assert seen == ["SIGTERM", "SIGTERM", "SIGINT", "force"]
    assert signal.getsignal(signal.SIGTERM) == before
