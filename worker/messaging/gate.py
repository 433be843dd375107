"""The gate: which queues' messages must not be started in this process."""

from __future__ import annotations

from worker.messaging.stamps import Received


class Gate:
    """Closed for a queue before its consumers are told so, and asked right before a handler is called.

    What was taken from a queue and is still on its way to its handler when the gate closes is turned back there:
    nothing starts after a pause was acknowledged.

    Attributes:
        closed: queues that nothing is started from, for whatever reason.
        paused: those of them that are paused; the others wait for an exclusive command.
        admitted: exclusive messages that may start all the same, by id, and their queues.
    """

    def __init__(self) -> None:
        self.closed: set[Received] = set()
        self.paused: set[Received] = set()
        self.admitted: dict[str, Received] = {}

    def holds(self, received: Received, message_id: str) -> bool:
        """Whether a message may not start."""
        return received in self.closed and (message_id not in self.admitted or received in self.paused)
