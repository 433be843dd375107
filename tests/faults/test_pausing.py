"""A pause over real brokers: it outlives all workers and the broker, and holds while the database is away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.e2e.processes import free_port
from tests.e2e.project import Project
from tests.e2e.waiting import ASKED, until

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(400)]

TOML = """\
app = "tests.e2e.herd:app"

[database]
url = "{database}"

[transports.jobs]
url = "{jobs}"
{options}

[routing]
"*" = "jobs"
"""
STATE = "sqlite:///var/worker.db"
CALM = 90.0
"""Seconds that a broker's restart may take until everybody works again."""


def configure(project: Project, jobs: str, database: str = STATE, options: str = "") -> None:
    (project.folder / "worker.toml").write_text(TOML.format(jobs=jobs, database=database, options=options))


def numbers(project: Project, name: str, kind: str) -> list[int]:
    return [int(line.split()[1]) for line in project.lines(name) if line.startswith(f"{kind} ")]


def send(project: Project, kind: str, *given: int) -> None:
    project.send_many(*((kind, {"number": number}) for number in given))


def ready(project: Project, kind: str) -> object:
    found = project.json("status")["consumers"]
    return next(one["ready"] for one in found if one["type"] == kind)


@contextmanager
def over(broker: Any, kind: str, project: Project) -> Iterator[None]:
    with broker.fresh() as url:
        options = (
            "session_timeout = 6" if kind == "kafka" else ""
        )  # as soon as its brokers find out who was killed
        configure(project, url, url if kind == "postgres" else STATE, options)
        try:
            yield
        finally:
            project.close()


@pytest.mark.parametrize("kind", ["postgres", "rabbitmq", "kafka"])
def test_a_pause_outlives_workers_and_broker(
    kind: str, project: Project, private_broker: Callable[..., Any]
) -> None:
    """All workers killed, the broker killed and started again, one worker started again and one added: zero starts."""
    broker = private_broker(kind)
    with over(broker, kind, project):
        workers = project.consume_all(3, "-c", "2")
        send(project, "Ant", *range(5))
        until(lambda: len(numbers(project, "finished", "Ant")) == 5, "the workers work", CALM)
        answer = project.json("pause", "Ant", "--wait", "60")
        assert (answer["applied"], answer["lagging"]) == ("3/3", [])
        send(project, "Ant", *range(5, 25))
        until(
            lambda: ready(project, "Ant") == 20,
            "what was handled before is settled, the rest waits",
            CALM,
            ASKED,
        )
        for worker in workers:
            worker.kill()
        broker.stop()
        broker.start()
        project.consume_all(2, "-c", "2")
        send(project, "Bee", *range(20))
        until(lambda: len(numbers(project, "finished", "Bee")) == 20, "the new workers work", CALM)
        assert len(numbers(project, "started", "Ant")) == 5
        until(lambda: ready(project, "Ant") == 20, "all of it waits still", CALM, ASKED)
        project.ok("resume", "Ant")
        until(lambda: len(numbers(project, "finished", "Ant")) == 25, "all run", CALM)
        assert Counter(numbers(project, "started", "Ant")) == Counter(range(25))


def test_what_was_known_holds_while_the_database_is_away(
    project: Project, private_broker: Callable[..., Any]
) -> None:
    """The queues are elsewhere and go on: the paused type stays paused, the others run, and ``/readyz`` says why."""
    server = private_broker("postgres")
    port = free_port()
    probe = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    with server.fresh() as database, probe as client:
        configure(project, "sqlite:///var/queue.db", database)
        worker = project.consume("--health-port", str(port), "-c", "2")
        project.ok("pause", "Ant", "--wait", "60")
        send(project, "Ant", *range(10))
        send(project, "Bee", 1)
        until(lambda: numbers(project, "finished", "Bee") == [1], "the worker works", CALM)
        server.kill()

        def reasons() -> list[str]:
            found: list[str] = client.get("/readyz").json()["reasons"]
            return [reason for reason in found if "the pauses as of version 1 hold" in reason]

        until(reasons, "the probe says why", CALM)
        assert worker.running
        assert numbers(project, "started", "Ant") == []
        server.start()
        until(lambda: not reasons(), "the database is back", CALM)
        assert numbers(project, "started", "Ant") == []
        project.ok("resume", "Ant", "--wait", "60")
        until(lambda: len(numbers(project, "finished", "Ant")) == 10, "all run", CALM)
        project.close()
