"""Pausing on Kafka with real workers: it holds while members come, go and are killed, and its lag grows."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from tests.conformance.kafka_space import kafka_space
from tests.e2e.processes import Process
from tests.e2e.project import Intake, Project
from tests.e2e.test_pausing import item, lines, numbers
from tests.e2e.waiting import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.broker,
    pytest.mark.timeout(300),
]

TOML = """\
app = "tests.e2e.herd:app"

[database]
url = "sqlite:///var/worker.db"

[transports.kafka]
url = "{url}"
partitions = 6
session_timeout = 6
{options}

[routing]
"*" = "kafka"
"""
CALM = 60.0
"""Seconds until every worker has partitions: dead ones are found out after their session, and running ones join anew."""


@pytest.fixture
async def space(kafka_url: str) -> AsyncIterator[str]:
    """A place of this test's own on the shared broker."""
    async with kafka_space(kafka_url) as url:
        yield url


class Herd:
    """Workers of five types on Kafka, and an intake that sends to them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.workers: list[Process] = []
        self.intake: Intake = project.serve()
        self._bees = itertools.count()

    def join(self) -> Process:
        """One more worker, which is one more member of each group."""
        self.workers.append(self.project.consume("-c", "4"))
        return self.workers[-1]

    def kill(self, workers: Iterable[Process]) -> None:
        """``kill -9``."""
        for worker in list(workers):
            worker.kill()
            self.workers.remove(worker)

    def send(self, kind: str, given: Iterable[int]) -> None:
        """Post commands, each by itself, so that they come to all partitions."""
        for number in given:
            self.intake.accepted(kind, number=number)

    def until_all_work(self) -> None:
        """Wait until each worker has started a Bee that is sent from now on: none is there for nothing."""
        before = len(lines(self.project, "started", "Bee"))
        wanted = {str(worker.pid) for worker in self.workers}

        def look() -> bool:
            self.send("Bee", itertools.islice(self._bees, 6))
            return wanted <= {line[3] for line in lines(self.project, "started", "Bee")[before:]}

        until(look, f"workers {wanted} handle Bees", CALM, 0.2)

    def until_waiting(self, count: int) -> None:
        """Wait until so many Ants are known to wait, by command and over HTTP, and the pause is shown."""

        def told() -> list[dict[str, Any]]:
            listed = self.intake.client.get("/consumers").json()["consumers"]
            return [item(self.project, "Ant"), *(one for one in listed if one["type"] == "Ant")]

        until(lambda: [one["ready"] for one in told()] == [count, count], f"{count} Ants wait", CALM, 0.2)
        assert all(one["paused"] for one in told())


@pytest.fixture(params=["", 'group = "all"'], ids=["apart", "shared"])
def herd(request: pytest.FixtureRequest, project: Project, space: str) -> Herd:
    """With a group for each queue, and with one for all."""
    (project.folder / "worker.toml").write_text(TOML.format(url=space, options=request.param))
    return Herd(project)


def test_a_pause_holds_through_rebalances_kills_and_new_workers(herd: Herd) -> None:
    """Members join, leave, die, all die, start again: not one start, the lag grows, Bees go on; then all run once."""
    project = herd.project
    herd.join()
    herd.join()
    herd.send("Ant", range(5))
    until(lambda: len(numbers(project, "finished", "Ant")) == 5, "the workers work", CALM)
    answer = herd.intake.client.post(
        "/consumers/pause", json={"types": ["Ant"]}, headers={"Prefer": "wait=50"}
    )
    assert (answer.status_code, answer.json()["applied"]) == (202, "2/2")
    sent = 5

    def holds() -> None:
        nonlocal sent
        herd.until_all_work()
        herd.send("Ant", range(sent, sent + 10))
        sent += 10
        herd.until_all_work()
        herd.until_waiting(sent - 5)
        assert len(numbers(project, "started", "Ant")) == 5

    holds()
    guest = herd.join()
    holds()
    herd.workers.remove(guest)
    guest.stop()
    holds()
    herd.kill(herd.workers[:1])
    holds()
    herd.kill(herd.workers)
    herd.send("Ant", range(sent, sent + 10))
    sent += 10
    herd.join()
    herd.join()
    holds()
    resumed = herd.intake.client.post(
        "/consumers/resume", json={"types": ["Ant"]}, headers={"Prefer": "wait=50"}
    )
    assert (resumed.status_code, resumed.json()["applied"]) == (202, "2/2")
    until(lambda: len(numbers(project, "finished", "Ant")) == sent, "all run", CALM)
    until(lambda: item(project, "Ant")["ready"] == 0, "nothing waits", CALM)
    assert Counter(numbers(project, "started", "Ant")) == Counter(range(sent))
