"""Turns: which of the queues of one rank is next."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

from worker.runtime.taking.turns import Turns


class Queue:
    """A consumer of a queue in which so many messages wait."""

    rank = 0
    spec = SimpleNamespace(priority=0)
    outranks = outranked = False

    def __init__(self, name: str, waiting: int) -> None:
        self.name = name
        self.buffer = deque(range(waiting))

    def take(self) -> tuple[Queue, int] | None:
        return self, self.buffer.popleft()


def taken(turns: Any) -> list[str]:
    """The queues that are taken from until all are empty."""
    names = []
    while (started := turns.next()) is not None:
        names.append(started[0].name)
    return names


def test_none_is_taken_from_twice_while_an_equal_one_waits() -> None:
    """Whatever waits in each; one that was empty for a while comes first when it is not."""
    a, b, c = Queue("a", 3), Queue("b", 1), Queue("c", 2)
    turns: Any = Turns([a, b, c])  # type: ignore[list-item]
    assert taken(turns) == ["a", "b", "c", "a", "c", "a"]
    a.buffer.extend(range(2))
    b.buffer.extend(range(2))
    c.buffer.extend(range(2))
    assert taken(turns) == ["b", "c", "a", "b", "c", "a"]
