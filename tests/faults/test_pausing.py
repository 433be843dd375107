"""A pause holds while the database is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.processes import free_port
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.pausing import CALM, configure, numbers, send

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(400)]


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
