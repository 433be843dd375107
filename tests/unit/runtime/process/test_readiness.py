"""Readiness: said once, heard by whoever holds the other end."""

from __future__ import annotations

import os

from worker.runtime.process.readiness import READY_MARK, Readiness, tell_ready


def test_it_is_heard_once_it_is_said() -> None:
    """Not before; saying it again does nothing, and it stays said."""
    readiness = Readiness()
    assert not readiness.said()
    environment = {READY_MARK: str(os.dup(readiness.given))}
    readiness.hand_over()
    tell_ready(environment)
    assert environment == {}
    tell_ready(environment)
    assert readiness.said()
    assert readiness.said()
    readiness.close()


def test_a_process_that_ended_has_not_said_it() -> None:
    """The other end closed is not the same as said."""
    readiness = Readiness()
    readiness.hand_over()
    assert not readiness.said()
    readiness.close()


def test_nobody_asked() -> None:
    """Without a supervisor that waits for it, and with one that is gone, nothing happens."""
    tell_ready({})
    readiness = Readiness()
    kept = os.dup(readiness.given)
    readiness.hand_over()
    readiness.close()
    tell_ready({READY_MARK: str(kept)})
    tell_ready({READY_MARK: "none"})
