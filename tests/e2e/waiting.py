"""Waiting for conditions, with a deadline; no test sleeps for a guessed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds after which something that should happen counts as not happening."""
SOON = 20.0
"""Seconds within which happens, also on a busy machine, what waits for no lease and no grace of the usual length."""
ASKED = 0.7
"""Seconds between two looks that start a process each."""


def until(condition: Callable[[], T], what: str, timeout: float = PATIENCE, every: float = 0.02) -> T:
    """Call ``condition`` until it gives something true, and return that; what it raises counts as not yet.

    Only errors of looking (a file or an answer that is not there yet) count so, no failed assertion.
    """
    end = time.monotonic() + timeout
    last: object = None
    while True:
        try:
            found = condition()
            if found:
                return found
            last = found
        except AssertionError:
            raise
        except Exception as error:
            last = error
        if time.monotonic() >= end:
            raise AssertionError(f"not within {timeout:g} s: {what} (last: {last!r})")
        time.sleep(every)


def stays(condition: Callable[[], bool], what: str, seconds: float, every: float = 0.05) -> None:
    """Look at ``condition`` for some seconds; it must hold all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"did not stay so for {seconds:g} s: {what}"
        time.sleep(every)


def until_stopped(pid: int) -> None:
    """Wait until a process that was sent ``SIGSTOP`` does nothing any more, where ``/proc`` tells."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it is stopped", every=0.01)
