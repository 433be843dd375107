"""A process ends with the one that started it, however early that one dies."""

from __future__ import annotations

import os
import threading

import pytest

from worker.runtime.process.parent import AGAIN, EVERY, PARENT_MARK, follow, follow_parent, parenthood
from worker.runtime.process.readiness import READY_MARK
from worker.runtime.process.supervisor import CHILD_MARK, DEATH_MARK
from worker.settings.environment import INTERNAL


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
    """It is known by its number: at the first look the parent may be another process already."""
    assert followed(1) == (2, [AGAIN])


def test_the_marks_of_our_own_processes_are_no_settings() -> None:
    """A child reads its settings from the environment that holds them."""
    assert {PARENT_MARK, CHILD_MARK, READY_MARK} <= INTERNAL


def following(mark: str) -> tuple[bool, str | None]:
    """Whether a process with that mark follows a parent, and the mark that it hands on."""
    environment, before = {"WORKER_PARENT": mark}, threading.active_count()
    follow_parent(environment)
    return threading.active_count() > before, environment.get("WORKER_PARENT")


def test_it_follows_who_started_it_also_when_it_starts_anew_in_its_place() -> None:
    """The mark is addressed to it, and holds for its number."""
    assert parenthood() == {"WORKER_PARENT": str(os.getpid())}
    me, parent = os.getpid(), os.getppid()
    assert following(str(parent)) == (True, f"{parent}>{me}")
    assert following(f"{parent}>{me}") == (True, f"{parent}>{me}")


def test_who_was_not_started_by_a_supervisor_is_let_alone() -> None:
    """A mark that is another's, as in what a handler starts, or none, is not followed."""
    follow_parent({})
    assert following("x") == (False, "x")
    assert following(f"{os.getppid()}>1") == (False, None)


def test_what_a_handler_starts_is_as_on_a_fresh_shell() -> None:
    """It is no process of the handler's supervisor: HUP renews it, and it shares its ports with no other process."""
    meant = dict.fromkeys((CHILD_MARK, DEATH_MARK, READY_MARK), "1")
    mine, others = {PARENT_MARK: f"x>{os.getpid()}", **meant}, {PARENT_MARK: "1>1", **meant, "HOME": "/"}
    follow_parent(mine)
    follow_parent(others)
    assert meant.items() <= mine.items()
    assert others == {"HOME": "/"}
