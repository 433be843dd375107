"""Outages of RabbitMQ, of the line to it, and of workers that take from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.brokers.postgres import Postgres
from tests.brokers.rabbitmq import OwnRabbitMQ
from tests.e2e.project import Project
from tests.faults.outages import Outages
from tests.faults.rabbit import Rabbit, rabbit


@pytest.fixture(scope="module")
def server(private_broker: Callable[..., Any]) -> OwnRabbitMQ:
    """A server that only these tests break."""
    own: OwnRabbitMQ = private_broker("rabbitmq")
    return own


class TestRabbitmqOutages(Outages):
    def test_server_killed(self, place: Rabbit, project: Project, postgres: Postgres) -> None:
        """The state is in PostgreSQL; where it is in a file, ``test_rabbitmq`` kills a broker with classic queues."""
        with postgres.fresh() as database, place.flow(project, database=database) as flow:
            flow.outlives(place.server.kill, place.server.start)

    @pytest.fixture
    def place(self, server: OwnRabbitMQ, project: Project) -> Iterator[Rabbit]:
        with rabbit(server) as made:
            yield made
            project.close()
