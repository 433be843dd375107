"""Where sides meet: a broker, and what the contest itself has to do there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Ground(Protocol):
    """A broker that is running."""

    def fresh(self) -> AbstractContextManager[str]:
        """An empty part of it, for one measurement; gives its URL."""
        ...

    def multiply(self, url: str, queue: str, messages: int) -> None:
        """Replace the one message in a queue by this many copies, each with an id of its own."""
        ...

    def left(self, url: str, queue: str) -> int:
        """Count what is not acked."""
        ...

    def facts(self) -> dict[str, str]:
        """Versions, and where it came from."""
        ...
