"""A broker, the line to it, or workers fail while commands flow: nothing is lost, and no human is needed."""

from __future__ import annotations

import random

import pytest

from tests.deep import size
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.postgres import Postgres
from tests.faults.pubsub import Pubsub
from tests.faults.rabbit import Rabbit

Place = Rabbit | Postgres | Pubsub
"""A place of one test's own on a server that only the tests of its file break."""

HANG_UPS = size((0.2, 0.4), (0.2, 0.3, 0.4))
"""How much is done when connections are ended."""
DEATHS = size(3, 6)
"""Workers that are killed, one after the other."""


@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(size(600, 3600))
class Outages:
    """What every broker's workers must live through; give it a fixture ``place``."""

    def test_server_restarted(self, place: Place, project: Project) -> None:
        """A server that is stopped in order and started again gets its workers back, and keeps what it had."""
        with place.flow(project) as flow:
            flow.outlives(place.server.stop, place.server.start)

    def test_server_killed(self, place: Place, project: Project) -> None:
        """What was confirmed or committed before ``kill -9`` is handled after it."""
        with place.flow(project) as flow:
            flow.outlives(place.server.kill, place.server.start)

    def test_connections_ended(self, place: Place, project: Project) -> None:
        """Connections that are ended, several times, are opened again."""
        with place.flow(project) as flow:
            for share in HANG_UPS:
                flow.until_share(share)
                with flow.fault():
                    place.hang_up()
            flow.until_back()
            flow.finish()

    def test_half_open_connections(self, place: Place, project: Project) -> None:
        """Connections that swallow everything and are never closed are noticed, and replaced."""
        with place.flow(project, near_state=True) as flow:
            flow.outlives(place.proxy.strand)

    def test_network_frozen_for_a_while(self, place: Place, project: Project) -> None:
        """While nothing passes, on new connections either, nothing is lost; afterwards they work again."""
        with place.flow(project, near_state=True) as flow:
            flow.until_share(0.25)
            with flow.fault():
                place.proxy.freeze()
            until(lambda: flow.intake.client.get("/readyz").status_code == 503, "the intake says so", 60)
            place.proxy.clear()
            flow.until_back()
            flow.finish()

    def test_workers_killed_in_handlers(self, place: Place, project: Project) -> None:
        """Workers killed with -9 in the middle of handlers: others do what they had in hand."""
        chance = random.Random(2026)
        with place.flow(project) as flow:
            for number in range(DEATHS):
                flow.until_share(0.15 + 0.5 * number / DEATHS)
                flow.replace(chance.choice(flow.workers))
            flow.until_back()
            flow.finish()
