"""The queue that these tests use, and messages for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from worker.messaging.transport import Outgoing, QueueSpec

QUEUE = QueueSpec(name="shop-work", types=("Work",), keyed=True)
Connect = Callable[..., Any]


def messages(count: int, start: int = 0, queue: str = QUEUE.name) -> list[Outgoing]:
    """Messages under as many keys, so that every partition has some."""
    return [
        Outgoing(queue=queue, id=f"{queue}-{number}", type="Work", body=b"{}", key=f"k{number}")
        for number in range(start, start + count)
    ]
