"""Readiness: said once, heard by whoever holds the other end."""

from __future__ import annotations

import os

from worker.runtime.readiness import READY_MARK, Readiness, tell_ready


def test_it_is_heard_once_it_is_said() -> None:
    """Not before; saying it again does nothing."""
    with Readiness() as readiness:
        assert not readiness.said()
        environment = {READY_MARK: str(os.dup(readiness.given))}
        tell_ready(environment)
        assert environment == {}
        tell_ready(environment)
        assert readiness.said()


def test_nobody_asked() -> None:
    """Without a supervisor that waits for it, and with one that is gone, nothing happens."""
    tell_ready({})
    readiness = Readiness()
    kept = os.dup(readiness.given)
    with readiness:
        pass
    tell_ready({READY_MARK: str(kept)})
    tell_ready({READY_MARK: "none"})
