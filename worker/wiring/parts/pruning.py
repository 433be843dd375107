"""Forgetting rows that have grown old."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Prunes(Protocol):
    """A part that keeps rows which grow old."""

    async def prune(self, keep: float) -> None:
        """Forget what is not needed any more; ``keep``: seconds for which commands are remembered.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        ...
