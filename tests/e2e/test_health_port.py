"""A worker says on its health port whether it takes messages, and what keeps it from it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.e2e.processes import free_port
from tests.e2e.project import Project
from tests.e2e.test_outages import locked
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.fault, pytest.mark.slow]


def queues_named(document: dict[str, Any]) -> list[str]:
    """Names of the queues among the reasons of a health document."""
    found = [re.match(r"queue ([^:]+): .+", reason) for reason in document["reasons"]]
    return [match[1] for match in found if match]


def test_a_worker_names_the_queue_that_it_cannot_take_from(project: Project) -> None:
    """While a queue does not answer, ``/readyz`` and ``/health`` are 503 and name it; ``/livez`` stays 200."""
    project.configure(transport="lease = 2\nbusy_timeout = 1")
    port = free_port()
    worker = project.consume("-c", "4", "--health-port", str(port))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=75) as client:

        def status(path: str) -> int:
            return client.get(path).status_code

        until(lambda: status("/readyz") == 200, "the worker is ready")
        report = client.get("/health").json()
        assert report["healthy"] is True
        assert report["reasons"] == []
        queues = [name for name in report["status"] if name.startswith("queue.")]
        assert queues
        assert all(report["status"].values())
        project.send_many(*[("Deposit", {"number": number, "before": 0.1}) for number in range(100)])
        until(lambda: project.rows("SELECT count(*) > 5 FROM deposits") == [(1,)], "work is under way")
        with locked(project.queue_file):
            until(lambda: queues_named(client.get("/readyz").json()), "the worker names a queue")
            named = queues_named(client.get("/readyz").json())
            assert status("/readyz") == 503
            answer = client.get("/health")
            assert answer.status_code == 503
            assert answer.json()["healthy"] is False
            assert not any(answer.json()["status"][f"queue.{name}"] for name in named)
            assert queues_named(answer.json())
            assert status("/livez") == 200
        until(lambda: status("/readyz") == 200, "the worker is ready again")
        assert status("/health") == 200
    worker.stop()
