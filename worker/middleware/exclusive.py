"""Exclusive: the last step before the handlers of a command that runs with no other command in flight."""

from __future__ import annotations

from typing import Any

from worker.messaging.envelope import Envelope
from worker.messaging.exclusive import Exclusivity
from worker.messaging.middleware import CallNext
from worker.messaging.stamps import Received


class Exclusive:
    """Takes a message in when it is alone, and lets the others go on when its handlers have ended, however.

    What is handled inline comes from no queue and is let pass.
    """

    def __init__(self, exclusivity: Exclusivity) -> None:
        self._exclusivity = exclusivity

    async def __call__(self, envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        """Run the rest of the chain alone."""
        received = envelope.get(Received)
        if received is None:
            return await call_next(envelope)
        await self._exclusivity.enter(envelope, received)
        try:
            return await call_next(envelope)
        finally:
            await self._exclusivity.leave(envelope)
