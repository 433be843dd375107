"""One call's messages on their way: what is known of each, and when everything is known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from worker.messaging.transport import ACCEPTED, Outcome, OutcomeKind, Outgoing


class Unconfirmed:
    """Outcomes of messages that were written in one piece.

    Args:
        messages: as given, in order.

    Attributes:
        size: bytes of all their bodies.
    """

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.messages = messages
        self.size = sum(len(message.body) for message in messages)
        self.outcomes: list[Outcome | None] = [None] * len(messages)
        self.settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = len(messages)

    def settle(self, place: int, outcome: Outcome) -> None:
        """Note the outcome of one; a message that was returned stays so when it is confirmed afterwards."""
        if self.outcomes[place] is None:
            self.outcomes[place] = outcome
        self.confirm(place)

    def confirm(self, place: int) -> None:
        """Count one as answered; it is accepted where no other outcome was noted."""
        if self.outcomes[place] is None:
            self.outcomes[place] = ACCEPTED
        self._left -= 1
        if not self._left and not self.settled.done():
            self.settled.set_result(None)

    def result(self, why: str) -> list[Outcome]:
        """Return the outcomes known now; the rest are unknown, for the reason ``why``."""
        unknown = Outcome(OutcomeKind.UNKNOWN, why)
        return [outcome or unknown for outcome in self.outcomes]
