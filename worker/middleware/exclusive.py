"""Exclusive: the last step before the handlers of a command that runs with no other command in flight."""

from __future__ import annotations

from typing import Any, Protocol

from worker.messaging.envelope import Envelope
from worker.messaging.middleware import CallNext
from worker.messaging.stamps import Received


class Solitude(Protocol):
    """Sees to it that one message of a queue runs alone."""

    async def enter(self, envelope: Envelope[Any], received: Received) -> None:
        """Return when nothing else runs.

        Raises:
            Held: another exclusive message is first, or its type was paused meanwhile.
            DatabaseUnavailable: the database does not answer.
        """
        ...

    async def leave(self, envelope: Envelope[Any]) -> None:
        """Let the others run again; never raises."""
        ...


class Exclusive:
    """Takes a message in when it is alone, and lets the others go on when its handlers have ended, however.

    What is handled inline comes from no queue and is let pass.
    """

    def __init__(self, solitude: Solitude) -> None:
        self._solitude = solitude

    async def __call__(self, envelope: Envelope[Any], call_next: CallNext) -> Envelope[Any]:
        """Run the rest of the chain alone."""
        received = envelope.get(Received)
        if received is None:
            return await call_next(envelope)
        await self._solitude.enter(envelope, received)
        try:
            return await call_next(envelope)
        finally:
            await self._solitude.leave(envelope)
