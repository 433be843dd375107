"""Format: what the answer is written in, by ``Accept``."""

from __future__ import annotations

from worker.http.resources.formats import ANSWERS
from worker.http.resources.parameters import Parameters
from worker.http.resources.stages.query import read_query
from worker.resources.event import RequestEvent


class ChooseFormat:
    """Chooses the format.

    Args:
        asked: whether a condition asks for it, so that what follows has to be found again.
        unchecked: read the query string now, where nothing else does; None where that is not so.
    """

    def __init__(self, asked: bool, unchecked: Parameters | None) -> None:
        self._asked = asked
        self._unchecked = unchecked

    def __call__(self, event: RequestEvent) -> None:
        """Choose it.

        Raises:
            Problem: 406, nothing of what there is would do.
        """
        event.agree(ANSWERS.demanded(event.headers.get(b"accept")))
        if self._unchecked is not None:
            read_query(event, self._unchecked, lists=False)
        if self._asked:
            event.changes += 1
