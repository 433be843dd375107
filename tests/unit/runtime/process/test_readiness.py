"""Readiness: what a process says to the process at the other end of the pipe."""

from __future__ import annotations

import os

from worker.runtime.process.readiness import READY_MARK, Readiness, tell_end, tell_ready


def inherited(readiness: Readiness) -> dict[str, str]:
    """What a process is told that has the descriptor under another number."""
    pipe = readiness.environment()[READY_MARK].partition(":")[2]
    environment = {READY_MARK: f"{os.dup(readiness.given)}:{pipe}"}
    readiness.hand_over()
    return environment


def let_go(environment: dict[str, str]) -> None:
    os.close(int(environment[READY_MARK].partition(":")[0]))


def test_it_is_heard_once_it_is_said() -> None:
    """Not before; saying it again changes nothing, and it stays said."""
    readiness = Readiness()
    assert not readiness.said()
    environment = inherited(readiness)
    tell_ready(environment)
    tell_ready(environment)
    assert readiness.said()
    assert readiness.said()
    assert not readiness.ended()
    let_go(environment)
    readiness.close()


def test_a_process_says_that_it_ends_by_itself() -> None:
    """Also one that never came to work; what says nothing was ended by others."""
    readiness = Readiness()
    environment = inherited(readiness)
    kept = dict(environment)
    tell_end(environment)
    assert environment == {}
    assert readiness.ended()
    assert not readiness.said()
    let_go(kept)
    readiness.close()


def test_a_process_that_was_ended_has_said_nothing() -> None:
    """The other end closed is not the same as said."""
    readiness = Readiness()
    readiness.hand_over()
    assert not readiness.said()
    assert not readiness.ended()
    readiness.close()


def test_another_file_under_the_number_hears_nothing() -> None:
    """A handler has closed the descriptor, and opened something else."""
    readiness = Readiness()
    environment = inherited(readiness)
    heard, other = os.pipe()
    os.dup2(other, int(environment[READY_MARK].partition(":")[0]))
    os.close(other)
    kept = dict(environment)
    tell_ready(environment)
    tell_end(environment)
    let_go(kept)
    assert os.read(heard, 1) == b""
    os.close(heard)
    readiness.close()


def test_nobody_asked() -> None:
    """Without a supervisor that waits for it, and with one that is gone, nothing happens."""
    tell_ready({})
    tell_end({})
    readiness = Readiness()
    environment = inherited(readiness)
    readiness.close()
    tell_ready(environment)
    tell_end({READY_MARK: "none"})
    let_go(environment)
