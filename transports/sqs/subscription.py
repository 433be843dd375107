"""A consumer's hold on one queue of SQS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from transports.sqs.counting import Counter
from transports.sqs.holding import Holding, SqsOwner
from transports.subscription import ClaimingSubscription


class SqsSubscription(ClaimingSubscription):
    """Claims from what polls have brought.

    Args:
        owner: the transport.
        queue: the application's name of it.
        counter: asks how much waits.
        forget: called when it is closed.

    Attributes:
        holding: its claims.
    """

    def __init__(
        self,
        owner: SqsOwner,
        queue: str,
        counter: Counter,
        forget: Callable[[ClaimingSubscription], None],
    ) -> None:
        changed = asyncio.Event()
        self.holding = Holding(owner, queue, changed)
        self._counter = counter
        super().__init__(queue, self.holding, forget, changed)

    async def exhausted(self) -> bool:
        """Whether the service counts no message that is ready, no poll is under way, and nothing waits here.

        Raises:
            TransportUnavailable: the service does not answer.
        """
        if self.holding.has_some or self.holding.polls.under_way:
            return False
        counted = await self._counter.depth([self.queue])
        return not counted[self.queue].ready

    async def close(self, grace: float) -> None:
        """Give back what was not received and what waits for its next attempt; wait up to ``grace`` seconds for that."""
        self.holding.end()
        await super().close(grace)
