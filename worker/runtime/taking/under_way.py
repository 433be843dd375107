"""What is under way of a queue: a handler whose message is lost to another worker is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

from worker.messaging.transport import Delivery

_Handled = dict[asyncio.Task[Any], Delivery]


class UnderWay:
    """Knows which task handles which delivery.

    Attributes:
        tasks: each task that handles a delivery now, and which; a slot notes it itself, as it does so for every message.
        losing: those that were cancelled because their delivery is another worker's.
    """

    __slots__ = ("losing", "tasks")

    def __init__(self) -> None:
        self.tasks: _Handled = {}
        self.losing: _Handled = {}

    def lose(self, delivery: Delivery) -> None:
        """Cancel the task that handles it: another worker has it, or will."""
        for task, handled in self.tasks.items():
            if handled is delivery:
                self.losing[task] = delivery
                task.cancel()

    def lost(self, delivery: Delivery) -> bool:
        """Whether its task was cancelled because of that."""
        return any(handled is delivery for handled in self.losing.values())
