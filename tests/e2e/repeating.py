"""Clients that ask each thing under a key of its own, again and again, until it is accepted; and intakes that die meanwhile."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import httpx

from tests.e2e.project import Intake, Project


class Repeating(ABC):
    """So many clients at once. 409 is asked again: the first try, whose intake died, still counts as under way.

    Args:
        url: of the intake.
        numbers: what is to be accepted.
        lanes: clients.

    Attributes:
        accepted: the answer's document of each number, None where it has none.
        repeats: how often something was asked again.
        in_progress: how often the answer was 409.
    """

    again = frozenset({409})
    """Answers after which something is asked again."""

    def __init__(self, url: str, numbers: Iterable[int], lanes: int) -> None:
        self.url = url
        self.left = list(numbers)
        self.accepted: dict[int, Any] = {}
        self.repeats = 0
        self.in_progress = 0
        self._lanes = lanes

    @abstractmethod
    async def ask(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        """Ask once, under the number's key."""

    async def run(self) -> None:
        """Ask until everything is accepted."""
        async with httpx.AsyncClient(base_url=self.url, timeout=75) as client:
            await asyncio.gather(*(self._lane(client) for _ in range(self._lanes)))

    async def _lane(self, client: httpx.AsyncClient) -> None:
        while self.left:
            number = self.left.pop()
            while not await self._accepted(client, number):
                self.repeats += 1
                await asyncio.sleep(0.05)

    async def _accepted(self, client: httpx.AsyncClient, number: int) -> bool:
        try:
            answer = await self.ask(client, number)
        except httpx.TransportError:
            return False
        if answer.status_code in self.again:
            self.in_progress += answer.status_code == 409
            return False
        assert answer.status_code == 202, answer.text
        self.accepted[number] = answer.json() if answer.content else None
        return True


async def kill_intakes(
    project: Project, intake: Intake, clients: Repeating, goals: Iterable[int], patience: float
) -> Intake:
    """Kill the intake each time so many are accepted, and start it again; return the last, when all are accepted."""
    asking = asyncio.create_task(clients.run())
    for goal in goals:
        while len(clients.accepted) < goal:
            assert not asking.done(), asking
            await asyncio.sleep(0.002)
        intake.process.kill()
        intake = await asyncio.to_thread(project.serve, port=intake.port)
    async with asyncio.timeout(patience):
        await asking
    return intake
