"""A process ends with the one that started it, however early that one dies."""

from __future__ import annotations

import os

import pytest

from worker.runtime.parent import AGAIN, EVERY, follow, follow_parent, parenthood


class Over(Exception):
    """The test has seen enough."""


def followed(*parents: int) -> tuple[int, list[float]]:
    """How often a process whose parent was 7 was asked to stop, and the pauses before and after it."""
    asked, pauses, seen = [0], [], iter(parents)

    def stop() -> None:
        asked[0] += 1
        if asked[0] == 2:
            raise Over

    with pytest.raises(Over):
        follow(7, parent=lambda: next(seen), stop=stop, pause=pauses.append)
    return asked[0], pauses


def test_it_stops_when_its_parent_is_another() -> None:
    """It is looked at twice a second, and asked again when it does not stop."""
    assert followed(7, 7, 1) == (2, [EVERY, EVERY, AGAIN])


def test_a_parent_that_died_before_the_first_look_is_noticed() -> None:
    """It is known by its number: that of whoever is there at the start says nothing."""
    assert followed(1) == (2, [AGAIN])


def test_a_process_that_nobody_supervises_is_let_alone() -> None:
    """Without a mark, or with one that is none, nothing is followed."""
    assert not follow_parent({})
    assert not follow_parent({"WORKER_PARENT": "x"})


def test_the_mark_is_not_handed_on() -> None:
    """What a handler starts is not taken for a process of the supervisor's."""
    assert parenthood() == {"WORKER_PARENT": str(os.getpid())}
    environment = {"WORKER_PARENT": str(os.getppid())}
    assert follow_parent(environment)
    assert environment == {}
