"""What a client has under way, so that nothing of it is forgotten at its end."""

from __future__ import annotations

import asyncio

import structlog

_NAMED = 20
"""Messages that one line of the log names."""

log = structlog.stdlib.get_logger("worker.client")


class UnderWay:
    """Messages that were given to a client and are neither confirmed nor refused."""

    def __init__(self) -> None:
        self._types: dict[str, str] = {}
        self._none: asyncio.Event | None = None

    def begin(self, id: str, type_name: str) -> None:
        """Note a message."""
        self._types[id] = type_name

    def end(self, id: str) -> None:
        """Forget it: its sender knows what became of it."""
        self._types.pop(id, None)
        if self._none is not None and not self._types:
            self._none.set()

    async def ended(self, seconds: float) -> None:
        """Wait until all are confirmed or refused; name in the log those that are not in that time."""
        if not self._types:
            return
        self._none = asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                await self._none.wait()
        except TimeoutError:
            for start in range(0, len(self._types), _NAMED):
                some = list(self._types.items())[start : start + _NAMED]
                log.error(
                    "closed before the broker has confirmed; these may have been taken or not",
                    messages=[f"{type_name} {id}" for id, type_name in some],
                )
