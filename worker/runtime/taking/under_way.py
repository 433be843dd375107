"""What is under way of deliveries that are held by time: a handler whose message is lost to another worker is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

from worker.messaging.transport import Delivery


class UnderWay:
    """Knows which task handles which delivery."""

    __slots__ = ("_lost", "_tasks")

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], Delivery] = {}
        self._lost: set[int] = set()

    def begin(self, delivery: Delivery) -> None:
        """The current task handles it from now on."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks[task] = delivery

    def end(self) -> None:
        """The current task is done with what it handled."""
        task = asyncio.current_task()
        if task is not None and (delivery := self._tasks.pop(task, None)) is not None:
            self._lost.discard(id(delivery))

    def lose(self, delivery: Delivery) -> None:
        """Cancel the task that handles it: another worker has it, or will."""
        for task, handled in self._tasks.items():
            if handled is delivery:
                self._lost.add(id(delivery))
                task.cancel()

    def lost(self, delivery: Delivery) -> bool:
        """Whether its task was cancelled because of that."""
        return id(delivery) in self._lost
