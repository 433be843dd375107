"""State and queues in one PostgreSQL database: what was accepted survives the death of workers and of the server."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from tests.brokers.postgres import InstalledPostgres, OwnPostgres
from tests.deep import size
from tests.e2e.processes import free_port
from tests.e2e.project import Intake, Project
from tests.e2e.test_worker_deaths import stands
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.fault, pytest.mark.slow, pytest.mark.broker]

TOML = """\
app = "tests.e2e.app:app"

[database]
url = "{url}"

[transports.postgres]
url = "{url}"
lease = 2

[routing]
"*" = "postgres"
"""
COMMANDS = size(300, 600)
DEATHS = size(4, 6)
"""Of workers, but for two of the server."""
WORKERS = 3
SEED = 20_262


@pytest.fixture(scope="module")
def server(private_broker: Callable[..., Any]) -> OwnPostgres:
    own: OwnPostgres = private_broker("postgres")
    return own


@pytest.fixture
def url(server: OwnPostgres, project: Project) -> Iterator[str]:
    """A database for state and queues, with the tables of the application's own."""
    with server.fresh() as url:
        (project.folder / "worker.toml").write_text(TOML.format(url=url))
        for table in ("deposits", "bookings"):
            rows(url, f"CREATE TABLE {table} (number INTEGER, message_id TEXT, attempt INTEGER, pid INTEGER)")
        yield url
        project.close()


def rows(url: str, statement: str) -> list[Any]:
    """Ask the database, also while others use it."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    return asyncio.run(ask())


def count(url: str, statement: str) -> int:
    return int(rows(url, f"SELECT count(*) FROM {statement}")[0][0])


async def post_all(intake: Intake, commands: list[dict[str, float]], lanes: int = 8) -> list[str]:
    """Post commands; what is refused during an outage is posted again. Return the ids that were accepted."""
    ids: list[str] = []
    left = list(reversed(commands))

    async def lane(client: httpx.AsyncClient) -> None:
        while left:
            command = left.pop()
            answer = await client.post("/commands/Deposit", json=command)
            if answer.status_code == 202:
                ids.append(answer.json()["id"])
            else:
                assert answer.status_code == 503, answer.text
                left.append(command)
                await asyncio.sleep(0.1)

    async with httpx.AsyncClient(base_url=str(intake.client.base_url), timeout=60) as client:
        await asyncio.gather(*(lane(client) for _ in range(lanes)))
    return ids


def end_at_once(server: OwnPostgres) -> None:
    """End it without a word to its clients, as an operator in a hurry does."""
    if isinstance(server, InstalledPostgres):
        server.quit()
    else:
        server.kill()


@pytest.mark.timeout(240)
def test_workers_and_the_server_die_amid_commands(project: Project, server: OwnPostgres, url: str) -> None:
    """Workers killed in handlers, the server killed twice: every 202 ends done, each effect is there once."""
    chance = random.Random(SEED)
    intake = project.serve()
    commands = [
        {"number": number, "before": round(chance.uniform(0.05, 0.2), 3), "inside": 0.01}
        for number in range(COMMANDS)
    ]
    workers = [project.start("consume", "-c", "8") for _ in range(WORKERS)]
    loop = asyncio.new_event_loop()
    accepted: list[str] = []
    posting = threading.Thread(
        target=lambda: accepted.extend(loop.run_until_complete(post_all(intake, commands)))
    )
    posting.start()
    for death in range(DEATHS):
        goal = COMMANDS * (death + 1) // (DEATHS + 4)
        until(lambda: count(url, "deposits") >= goal, f"{goal} are handled after {death} deaths", 60)  # noqa: B023
        if death in {1, DEATHS - 2}:
            if death == 1:
                end_at_once(server)
            else:
                server.kill()
            server.start()
        else:
            victim = chance.randrange(WORKERS)
            workers[victim].kill()
            workers[victim] = project.start("consume", "-c", "8")
    posting.join(120)
    loop.close()
    assert len(accepted) >= COMMANDS
    until(
        lambda: count(url, "transport_messages") + count(url, "worker_outbox") == 0,
        "all is handled",
        100,
        0.1,
    )
    stored = Counter(row[0] for row in rows(url, "SELECT message_id FROM deposits"))
    assert not set(accepted) - set(stored), "accepted and lost"
    assert set(stored.values()) == {1}, "stored twice"
    assert {row[0] for row in rows(url, "SELECT number FROM deposits")} == set(range(COMMANDS))
    events = Counter(row[0] for row in rows(url, "SELECT message_id FROM bookings"))
    assert set(events.values()) == {1}
    assert events.total() == stored.total(), "an event for each deposit"
    assert count(url, "worker_failures") == 0
    assert {row[0] for row in rows(url, "SELECT DISTINCT attempt FROM deposits")} == {1}, (
        "deaths were charged"
    )
    for worker in workers:
        worker.stop()
    states = asyncio.run(stands(intake, accepted))
    assert states == {"done": len(accepted)}
    intake.process.stop()


def test_a_server_that_does_not_answer_at_start_is_named(project: Project) -> None:
    """Exit 3, with the address and without the password, as state and as transport."""
    away = f"postgresql://worker:geheim@127.0.0.1:{free_port()}/shop"
    for database in (away, "sqlite:///var/worker.db"):
        text = TOML.format(url=away).replace(f'url = "{away}"', f'url = "{database}"', 1)
        (project.folder / "worker.toml").write_text(text)
        done = project.cli("consume", "--connect-timeout", "1")
        assert done.returncode == 3, done.stderr
        assert "postgresql://worker:***@127.0.0.1" in done.stderr
        assert "geheim" not in done.stdout + done.stderr


def test_an_outage_is_waited_out_and_charges_nothing(project: Project, server: OwnPostgres, url: str) -> None:
    """A server that is away while a handler runs: the command is done once it is back, at its first attempt."""
    intake = project.serve()
    worker = project.consume()
    held = intake.accepted("Deposit", number=1, before=-1)
    until(lambda: project.marks("busy"), "the handler runs")
    server.stop()
    project.mark("release", "all")
    until(lambda: not project.marks("busy"), "the handler has met the outage")
    assert intake.post("Deposit", number=2).status_code == 503
    assert intake.client.get("/readyz").status_code == 503
    server.start()
    assert intake.status(held, wait=50)["status"] == "done"
    assert rows(url, "SELECT number, attempt FROM deposits") == [(1, 1)]
    assert count(url, "worker_failures") == 0
    later = intake.accepted("Deposit", number=3)
    assert intake.status(later, wait=50)["status"] == "done"
    worker.stop()
    intake.process.stop()
