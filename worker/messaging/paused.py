"""Paused queues: those whose messages may not be started in this process."""

from __future__ import annotations

from worker.messaging.stamps import Received


class PausedQueues:
    """What is paused here: noted before the consumers are told, and asked right before a handler is called.

    A message that was taken before its queue was paused, and has not reached its handler, is given back there: nothing
    starts once a pause was acknowledged.

    Attributes:
        queues: of which nothing is started, for whatever reason.
        strict: those of them that are paused for more than an exclusive command: it may not start either.
        exempt: exclusive commands that may start though all others wait for them, by id, and their queues.
    """

    def __init__(self) -> None:
        self.queues: set[Received] = set()
        self.strict: set[Received] = set()
        self.exempt: dict[str, Received] = {}

    def keeps(self, received: Received, message_id: str) -> bool:
        """Whether a message may not start."""
        return received in self.queues and (message_id not in self.exempt or received in self.strict)
