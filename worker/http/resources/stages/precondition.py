"""Precondition: ``If-Match`` and ``If-None-Match`` of a request that writes, held against the object that was read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from worker.http import problems
from worker.http.problems import Problem
from worker.resources.event import RequestEvent

THERE_IS_ONE = "If-None-Match asks for no object, and there is one here"
Call = Callable[[RequestEvent], Awaitable[None] | None]


class Precondition:
    """Asks the conditions once the object is read and the caller is known to be allowed to.

    ``*`` is any object. Objects have no entity tags, so that another condition fits none of them.

    Args:
        stage: the stage behind which they are asked.
    """

    def __init__(self, stage: Call) -> None:
        self._stage = stage

    async def __call__(self, event: RequestEvent) -> None:
        """Run the stage, and ask them.

        Raises:
            Problem: 412, one does not hold.
        """
        left = self._stage(event)
        if left is not None:
            await left
        headers, there = event.headers, event.read_data is not None
        match = headers.get(b"if-match")
        if match is not None and not there:
            raise Problem(problems.PRECONDITION, "If-Match asks for an object, and there is none here")
        if match is not None and match.strip() != b"*":
            raise Problem(
                problems.PRECONDITION, "If-Match names an entity tag, and objects have none; expected *"
            )
        if there and asks_for_none(event):
            raise Problem(problems.PRECONDITION, THERE_IS_ONE)


def asks_for_none(event: RequestEvent) -> bool:
    """Whether a request is meant only for where there is no object yet."""
    none_match = event.headers.get(b"if-none-match")
    return none_match is not None and none_match.strip() == b"*"
