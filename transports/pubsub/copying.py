"""Copies of what an emulator holds in memory: it loses them when it is restarted, and they are published again."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from transports.pubsub.faults import Failed
from worker.errors import Unavailable
from worker.messaging.copies import Copied, Copies, mark_of
from worker.messaging.transport import Delivery, Outcome, Outgoing

log = structlog.stdlib.get_logger("worker.pubsub")


class Copying:
    """Keeps and forgets the copies of one transport's messages.

    Args:
        name: of the transport.

    Attributes:
        copies: where they are; None where the broker keeps messages itself, and nothing is to be done.
    """

    def __init__(self, name: str) -> None:
        self.copies: Copies | None = None
        self._name = name

    async def keep(self, batch: Sequence[Outgoing]) -> None:
        """Copy what is about to be published.

        Raises:
            Failed: it cannot be copied, and so must not be published.
        """
        if self.copies is None:
            return
        try:
            await self.copies.keep(self._name, batch)
        except Unavailable as error:
            raise self._unreachable(error) from None

    async def not_taken(self, batch: Sequence[Outgoing], outcomes: Sequence[Outcome] | None) -> None:
        """Forget the copies of what the broker is not known to have taken; ``outcomes``: None where it took nothing.

        A sender that gets the outcome ``UNKNOWN`` sends the message again, with a copy of its own: this copy would never
        be forgotten.
        """
        if self.copies is None:
            return
        taken = [False] * len(batch) if outcomes is None else [outcome.accepted for outcome in outcomes]
        gone = [
            Copied(outgoing.queue, outgoing.id, mark_of(outgoing.body))
            for outgoing, accepted in zip(batch, taken, strict=True)
            if not accepted
        ]
        await self._drop(gone)

    async def done(self, deliveries: Sequence[Delivery]) -> bool:
        """Forget the copies of what is done with; False where that failed.

        Before the acknowledgement: a copy that outlived its message would never be forgotten.
        """
        return self.copies is None or await self._drop(
            [Copied(delivery.queue, delivery.id, mark_of(delivery.body)) for delivery in deliveries]
        )

    async def now(self) -> float:
        """The time of the copies; 0.0 where there are none.

        Raises:
            Failed: they cannot be reached.
        """
        try:
            return 0.0 if self.copies is None else await self.copies.now()
        except Unavailable as error:
            raise self._unreachable(error) from None

    async def send_again(self, queue: str, before: float) -> None:
        """Have published again what was kept until ``before`` for a queue that is gone.

        Raises:
            Failed: they cannot be reached; the queue must not be made yet.
        """
        if self.copies is None:
            return
        try:
            count = await self.copies.send_again(self._name, queue, before)
        except Unavailable as error:
            raise self._unreachable(error) from None
        if count:
            log.warning(
                "messages that the broker has lost are published again",
                transport=self._name,
                queue=queue,
                messages=count,
            )

    def _unreachable(self, error: Unavailable) -> Failed:
        return Failed(f"transport {self._name}: copies of messages cannot be reached: {error}", "UNAVAILABLE")

    async def _drop(self, gone: Sequence[Copied]) -> bool:
        if not gone or self.copies is None:
            return True
        try:
            await self.copies.drop(self._name, gone)
        except Unavailable as error:
            log.warning(
                "copies of messages were not removed",
                transport=self._name,
                messages=len(gone),
                error=str(error),
            )
            return False
        return True
