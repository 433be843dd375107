"""Exclusivity: the port of what lets one message run with no other command of the fleet in flight."""

from __future__ import annotations

from typing import Any, Protocol

from worker.messaging.envelope import Envelope
from worker.messaging.stamps import Received


class Exclusivity(Protocol):
    """Sees to it that one message of a queue runs alone."""

    async def enter(self, envelope: Envelope[Any], received: Received) -> None:
        """Return when nothing else runs.

        Raises:
            Paused: another exclusive message is first, or its type was paused meanwhile.
            DatabaseUnavailable: the database does not answer.
        """
        ...

    async def leave(self, envelope: Envelope[Any]) -> None:
        """Let the others run again; never raises."""
        ...
