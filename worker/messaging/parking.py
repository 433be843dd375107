"""Port: parking, where messages wait whose delay is longer than their broker keeps by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from worker.messaging.transport import Outgoing


class Parking(Protocol):
    """Keeps messages until their broker can take them; an ordinary worker forwards them then."""

    async def park(self, transport: str, batch: Sequence[Outgoing], longest: float) -> None:
        """Keep them, each until no more than ``longest`` seconds of its delay are left.

        A message that waits already under the same id is replaced.

        Raises:
            DatabaseUnavailable: they may not have been kept.
        """
        ...

    async def parked(self) -> Mapping[tuple[str, str], int]:
        """Count what is parked by transport and queue.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        ...
