"""The gate: which queues' messages must not be started in this process."""

from __future__ import annotations

from worker.messaging.stamps import Received


class Gate:
    """Closed for a queue before its consumers are told so, and asked right before a handler is called.

    What was taken from a queue and is still on its way to its handler when the gate closes is turned back there:
    nothing starts after a pause was acknowledged.
    """

    def __init__(self) -> None:
        self.closed: set[Received] = set()
