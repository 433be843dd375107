"""``kill -9`` of workers in the middle of handlers: nothing accepted is lost, nothing stored happens twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

import httpx
import pytest

from tests.deep import size
from tests.e2e.processes import Process
from tests.e2e.project import Intake, Project
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.fault, pytest.mark.slow]

COMMANDS = size(500, 2000)
LASTS = size((0.2, 1.2), (0.05, 0.3))
"""Seconds that a handler takes: together so long that commands are left for the last death."""
DEATHS = size(12, 50)
WORKERS = 4
SEED = 20_261


async def post_all(intake: Intake, commands: list[dict[str, float]], lanes: int = 20) -> list[str]:
    """Post commands one by one in parallel lanes; return the ids that were accepted."""
    ids: list[str] = []
    left = list(reversed(commands))

    async def lane(client: httpx.AsyncClient) -> None:
        while left:
            answer = await client.post("/commands/Deposit", json=left.pop())
            assert answer.status_code == 202, answer.text
            ids.append(answer.json()["id"])

    async with httpx.AsyncClient(base_url=str(intake.client.base_url), timeout=75) as client:
        await asyncio.gather(*(lane(client) for _ in range(lanes)))
    return ids


async def stands(intake: Intake, ids: list[str], lanes: int = 20) -> Counter[str]:
    """Where commands stand, asked as a client asks that waits for the end."""
    left = list(ids)
    states: Counter[str] = Counter()

    async def lane(client: httpx.AsyncClient) -> None:
        while left:
            answer = await client.get(f"/commands/{left.pop()}", headers={"Prefer": "wait=50"})
            states[answer.json()["status"]] += 1

    async with httpx.AsyncClient(base_url=str(intake.client.base_url), timeout=75) as client:
        await asyncio.gather(*(lane(client) for _ in range(lanes)))
    return states


def busy(project: Project, workers: list[Process], first: int) -> Process | None:
    """A worker in which a handler runs now, the one at ``first`` if it can be."""
    pids = {name.split(".")[0] for name in project.marks("busy")}
    return next((one for one in (workers[first], *workers) if str(one.pid) in pids), None)


def handled(project: Project) -> int:
    """How many commands are handled by now."""
    return int((project.rows("SELECT count(*) FROM deposits") or [(0,)])[0][0])


@pytest.mark.timeout(size(300, 900))
def test_workers_killed_in_the_middle_of_handlers(project: Project) -> None:
    """Many workers killed amid commands: every 202 ends done, each effect and each event is there once."""
    chance = random.Random(SEED)
    intake = project.serve()
    commands = [
        {
            "number": number,
            "before": round(chance.uniform(*LASTS), 3),
            "inside": 0.02 if number % 100 == 0 else 0.0,
        }
        for number in range(COMMANDS)
    ]
    accepted = asyncio.run(post_all(intake, commands))
    assert len(set(accepted)) == COMMANDS
    workers = [project.start("consume", "-c", "8") for _ in range(WORKERS)]
    deaths = 0
    started = time.monotonic()
    while deaths < DEATHS:
        goal = COMMANDS * deaths // (DEATHS * 2)
        until(lambda: handled(project) >= goal, f"{goal} are handled after {deaths} deaths", 60)  # noqa: B023
        first = chance.randrange(WORKERS)
        victim = until(lambda: busy(project, workers, first), "a worker is busy", 60)  # noqa: B023
        victim.kill()
        deaths += 1
        workers[workers.index(victim)] = project.start("consume", "-c", "8")
    killing = time.monotonic() - started
    left = project.waiting()
    project.until_empty(timeout=100)
    stored = Counter(number for (number,) in project.rows("SELECT number FROM deposits"))
    ids = {message_id for (message_id,) in project.rows("SELECT message_id FROM deposits")}
    assert set(stored) == set(range(COMMANDS)), f"lost: {set(range(COMMANDS)) - set(stored)}"
    assert stored.total() == COMMANDS, f"twice: {[n for n, c in stored.items() if c > 1]}"
    assert ids == set(accepted)
    booked = Counter(number for (number,) in project.rows("SELECT number FROM bookings"))
    assert set(booked) == set(range(COMMANDS)), f"events lost: {set(range(COMMANDS)) - set(booked)}"
    assert booked.total() == COMMANDS, f"events twice: {[n for n, c in booked.items() if c > 1]}"
    assert project.rows("SELECT count(*) FROM worker_failures") == [(0,)]
    attempts = Counter(attempt for (attempt,) in project.rows("SELECT attempt FROM deposits"))
    assert set(attempts) == {1}, f"deaths were charged: {attempts}"
    print(
        f"{deaths} deaths in {killing:.1f} s, {left} messages left then; {time.monotonic() - started:.1f} s in all"
    )
    for worker in workers:
        worker.stop()
    states = asyncio.run(stands(intake, accepted))
    assert states == {"done": COMMANDS}, f"left unfinished by a death: {states}"
    intake.process.stop()
