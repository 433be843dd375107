"""Recurrence: an outage that meets one message again and again, while all that could be out answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from worker.errors import PublishFailed, Unavailable

TIMES = 5
"""Outages that one message may meet in a row before it is charged with an attempt."""

_REMEMBERED = 10_000

Answers = Callable[[], Awaitable[bool]]
"""Asks the database and the brokers whether they answer now; bounded in time, never raises."""


class Recurrence:
    """Counts outages by message. A handler may make its own: by closing its connection, or by ending its session.

    Args:
        answers: asks whether there is an outage; None where every outage is taken for one.
    """

    def __init__(self, answers: Answers | None) -> None:
        self._answers = answers
        self._met: dict[tuple[str, str], int] = {}

    async def charges(self, queue: str, message_id: str) -> bool:
        """Note that a message has met an outage; tell whether it is its own failure by now.

        Only what comes in a row, and while everything answers, counts: a real outage charges nothing, however
        long it lasts.
        """
        if self._answers is None:
            return False
        key = (queue, message_id)
        times = self._met.pop(key, 0)
        if times and not await self._answers():
            times = 0
        times += 1
        if times >= TIMES:
            return True
        if len(self._met) >= _REMEMBERED:
            del self._met[next(iter(self._met))]
        self._met[key] = times
        return False

    def forget(self, queue: str, message_id: str) -> None:
        """Begin anew with a message: it has failed by another error."""
        self._met.pop((queue, message_id), None)


def is_outage(error: BaseException) -> bool:
    """Whether something outside did not answer; what a broker refused for good is the handler's failure."""
    return isinstance(error, Unavailable) and not (isinstance(error, PublishFailed) and error.refused)
