"""Clients that post commands until each has its 202, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.deep import size

LANES = 4
LINES = 50
LEAD = 3000
"""Commands that may be accepted and not yet handled."""
RATE = size(150, 800)
"""Commands a second at most: so that a fault meets the flow."""


def type_of(number: int) -> str:
    """Every tenth is stored with a transaction."""
    return "Take" if number % 10 else "Keep"


def id_of(number: int) -> str:
    """The command's id, the same at each try: a repetition is no second command."""
    return f"01900000-0000-7000-8000-{number:012d}"


@dataclass
class Tally:
    """What the clients saw.

    Attributes:
        accepted: number → when the request that got its 202 was begun, monotonic seconds.
        repeated: commands posted again that may have been taken before: the answer was an error or never came.
        unavailable: answers of 503.
        slowest: seconds of the longest request that was answered.
        odd: other errors, as text.
    """

    accepted: dict[int, float] = field(default_factory=dict)
    repeated: int = 0
    unavailable: int = 0
    slowest: float = 0.0
    odd: list[str] = field(default_factory=list)


class Load:
    """Posts a command for each of these numbers, in small batches over several connections, in a thread of its own.

    Args:
        stored: how many are handled by now; posting keeps a bounded lead over it.
        held_at: how many may be accepted until ``go_on``.

    Attributes:
        under_way: commands that were posted and are not answered.
    """

    def __init__(
        self, url: str, numbers: range, stored: Callable[[], int], held_at: float = math.inf
    ) -> None:
        self.tally = Tally()
        self.under_way = 0
        self.failed: BaseException | None = None
        self._url = url
        self._left = list(reversed(numbers))
        self._stored = stored
        self._stop = False
        self._begun = 0.0
        self._held_at = held_at
        self._thread = threading.Thread(target=self._main, name="load")

    def start(self) -> None:
        """Begin."""
        self._begun = time.monotonic()
        self._thread.start()

    def go_on(self) -> None:
        """Post what was held back, at the same rate."""
        if self._held_at < math.inf:
            self._begun = time.monotonic() - len(self.tally.accepted) / RATE
            self._held_at = math.inf

    @property
    def done(self) -> bool:
        """Whether every command is accepted."""
        if self.failed is not None:
            raise AssertionError(f"posting failed: {self.failed!r}") from self.failed
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End, finished or not."""
        self._stop = True
        if self._thread.ident is not None:
            self._thread.join()

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:
            self.failed = error

    async def _run(self) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=60) as client:
            await asyncio.gather(*(self._lane(client) for _ in range(LANES)))

    async def _lane(self, client: httpx.AsyncClient) -> None:
        while self._left:
            mine = [self._left.pop() for _ in range(min(LINES, len(self._left)))]
            while mine and not self._stop:
                if self._ahead():
                    await asyncio.sleep(0.05)
                    continue
                self.under_way += len(mine)
                mine, posted = await self._post(client, mine), len(mine)
                self.under_way -= posted
                if mine:
                    await asyncio.sleep(0.2)

    def _ahead(self) -> bool:
        """Whether posting is ahead of the work, of its own rate, or is held back."""
        accepted = len(self.tally.accepted)
        if accepted + self.under_way >= self._held_at or accepted > RATE * (time.monotonic() - self._begun):
            return True
        return accepted - self._stored() > LEAD

    async def _post(self, client: httpx.AsyncClient, numbers: list[int]) -> list[int]:
        """Post them; return those that must be posted again."""
        lines = [
            json.dumps({"type": type_of(number), "id": id_of(number), "data": {"number": number}})
            for number in numbers
        ]
        begun = time.monotonic()
        try:
            answer = await client.post(
                "/commands", content="\n".join(lines), headers={"Content-Type": "application/x-ndjson"}
            )
        except httpx.ConnectError:
            return numbers
        except httpx.TransportError:
            self.tally.repeated += len(numbers)
            return numbers
        self.tally.slowest = max(self.tally.slowest, time.monotonic() - begun)
        documents = [json.loads(line) for line in answer.text.splitlines()]
        if answer.status_code not in {202, 422} or len(documents) != len(numbers):
            self._note(answer.status_code, answer.text)
            return numbers
        again = []
        for number, document in zip(numbers, documents, strict=True):
            if "error" in document:
                self._note(document["error"]["status"], json.dumps(document["error"]))
                again.append(number)
                self.tally.repeated += "it may have been taken" in document["error"]["detail"]
            else:
                self.tally.accepted[number] = begun
        return again

    def _note(self, status: int, text: str) -> None:
        if status == 503:
            self.tally.unavailable += 1
        elif len(self.tally.odd) < 10:
            self.tally.odd.append(f"{status}: {text[:500]}")
