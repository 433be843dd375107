"""Format: what the answer is written in, by ``Accept``."""

from __future__ import annotations

from worker.http.resources.formats import ANSWERS
from worker.resources.event import RequestEvent


class ChooseFormat:
    """Chooses the format.

    Args:
        asked: whether a condition asks for it, so that what follows has to be found again.
    """

    def __init__(self, asked: bool) -> None:
        self._asked = asked

    async def __call__(self, event: RequestEvent) -> None:
        """Choose it.

        Raises:
            Problem: 406, nothing of what there is would do.
        """
        event.format = format = ANSWERS.demanded(event.headers.get(b"accept"))
        if self._asked:
            event["request_type"] = ("rest", format)
        else:
            event.facts["request_type"] = ("rest", format)
