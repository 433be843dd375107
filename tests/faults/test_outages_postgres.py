"""Outages of PostgreSQL, of the line to it, and of workers that take from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.brokers.postgres import OwnPostgres
from tests.e2e.project import Project
from tests.faults.outages import Outages
from tests.faults.pausing import outlives_workers_and_broker
from tests.faults.postgres import Postgres, postgres


@pytest.fixture(scope="module")
def server(private_broker: Callable[..., Any]) -> OwnPostgres:
    """A server that only these tests break."""
    own: OwnPostgres = private_broker("postgres")
    return own


class TestPostgresOutages(Outages):
    @pytest.fixture
    def place(self, server: OwnPostgres, project: Project) -> Iterator[Postgres]:
        with postgres(server) as made:
            yield made
            project.close()


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_pause_outlives_workers_and_server(server: OwnPostgres, project: Project) -> None:
    """Whatever is killed, nothing of a paused type starts; queues and state are in one database."""
    outlives_workers_and_broker(project, server, state=True)
