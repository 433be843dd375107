"""A paused, queued resource in real processes: what was answered with 202 is stored, handled once, and its event seen once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deep import size
from tests.e2e.project import Intake, Project
from tests.e2e.repeating import Repeating, kill_intakes
from tests.e2e.test_postgres import rows
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e]

RESERVATIONS = size(40, 300)
LANES = 8
SEED = 2612
JSON = {"accept": "application/json"}
LINKED = {"accept": "application/ld+json"}


POSTGRES = """\
app = "examples.library.app:app"

[database]
url = "{url}"

[resources]
create_tables = true

[transports.queue]
url = "{url}"
lease = 2

[routing]
"*" = "queue"
"""
SQLITE = """\
app = "examples.library.app:app"

[database]
url = "sqlite:///var/worker.db"

[transports.queue]
url = "sqlite:///var/queue.db"
lease = 2

[routing]
"*" = "queue"
"""


class OnPostgres(Project):
    """State and queues in one database."""

    url = ""

    def waiting(self) -> int:
        return self._count("transport_messages")

    def outbox(self) -> int:
        return self._count("worker_outbox")

    def _count(self, table: str) -> int:
        return int(rows(self.url, f"SELECT count(*) FROM {table}")[0][0])


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.broker)])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """The library on SQLite, or on PostgreSQL; nothing runs yet."""
    project = Project(tmp_path)
    text = SQLITE
    if request.param == "postgres":
        project = OnPostgres(tmp_path)
        project.url = request.getfixturevalue("postgres_url")
        text = POSTGRES.format(url=project.url)
    (tmp_path / "worker.toml").write_text(text)
    try:
        yield project
    finally:
        project.close()


def reserve(intake: Intake, count: int) -> list[int]:
    """Make so many reservations."""
    found = []
    for number in range(count):
        answer = intake.client.post("/reservations", json={"book": number, "reader": f"Reader {number}"})
        assert answer.status_code == 201, answer.text
        found.append(answer.json()["id"])
    return found


def everything(intake: Intake, path: str) -> list[dict[str, Any]]:
    """All objects of a collection, page by page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = intake.client.get(f"{path}?limit=100{cursor}").json()
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&next={page['next']}"


def notices(intake: Intake) -> list[int]:
    """The reservations that readers were told of."""
    return sorted(one["reservation"] for one in everything(intake, "/notices"))


def test_a_change_waits_while_its_type_is_paused_and_is_handled_once_after_it(library: Project) -> None:
    """Conditions pick the steps, the processor stores, the message waits; resuming handles it, and its event is seen."""
    intake = library.serve()
    worker = library.consume("queue")
    first, second = reserve(intake, 2)
    library.ok("pause", "Reservation", "--wait", "30")
    for reservation, accept in ((first, JSON), (second, LINKED)):
        answer = intake.client.patch(f"/reservations/{reservation}", json={"state": "wanted"}, headers=accept)
        assert answer.status_code == 202, answer.text
    # what is not paused is handled all the same, after what was sent before it
    intake.client.post("/password-resets", json={"username": "nobody"})
    until(lambda: library.waiting() == 2, "only what is paused waits")
    stored = {one["id"]: one for one in everything(intake, "/reservations")}
    assert [stored[one]["channel"] for one in (first, second)] == ["application", "linked data"]
    assert [stored[one]["state"] for one in (first, second)] == ["wanted", "wanted"]
    assert [stored[one]["fetched"] for one in (first, second)] == [0, 0]
    assert notices(intake) == []
    library.ok("resume", "Reservation")
    library.until_empty()
    until(lambda: notices(intake) == [first, second], "both readers are told")
    stored = {one["id"]: one for one in everything(intake, "/reservations")}
    assert [(stored[one]["state"], stored[one]["fetched"]) for one in (first, second)] == [("ready", 1)] * 2
    worker.stop()
    intake.process.stop()


class Readers(Repeating):
    """Clients that change every reservation once."""

    again = frozenset({409, 503})

    async def ask(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        key = {"idempotency-key": f"reservation-{number}"}
        return await client.patch(f"/reservations/{number}", json={"state": "wanted"}, headers=key)


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_that_was_accepted_is_lost_or_handled_twice_whatever_dies_on_the_way(
    library: Project,
) -> None:
    """Intakes die while they accept, a worker dies while all is paused, and more of them while they handle."""
    chance = random.Random(SEED)
    intake = library.serve()
    reservations = reserve(intake, RESERVATIONS)
    worker = library.consume("queue")
    library.ok("pause", "Reservation", "--wait", "30")
    readers = Readers(str(intake.client.base_url), reservations, LANES)
    goals = [RESERVATIONS * death // 4 + chance.randrange(5) for death in (1, 2)]
    intake = asyncio.run(kill_intakes(library, intake, readers, goals, patience=90))
    assert set(readers.accepted) == set(reservations)
    assert readers.repeats > 0, "no request was under way when the intake died"
    worker.kill()
    worker = library.consume("queue")
    assert notices(intake) == []
    assert all(one["state"] == "wanted" for one in everything(intake, "/reservations"))
    library.ok("resume", "Reservation")
    for part in (1, 2):
        goal = RESERVATIONS * part // 4
        until(lambda goal=goal: len(notices(intake)) >= goal, f"{goal} readers are told", every=0.05)
        worker.kill()
        worker = library.consume("queue")
    until(lambda: len(set(notices(intake))) == RESERVATIONS, "all readers are told", timeout=120, every=0.2)
    library.until_empty(timeout=120)
    assert notices(intake) == sorted(reservations), "a reader was told twice"
    for one in everything(intake, "/reservations"):
        assert (one["state"], one["fetched"]) == ("ready", 1), one
    assert library.json("failed", "list")["total"] == 0
    worker.stop()
    intake.process.stop()
