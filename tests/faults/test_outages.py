"""A broker, the line to it, or workers fail while commands flow: nothing is lost, and no human is needed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.postgres import Postgres, postgres
from tests.faults.rabbit import Rabbit, rabbit

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]

PLACES: dict[str, Callable[..., Any]] = {"rabbitmq": rabbit, "postgres": postgres}
Place = Rabbit | Postgres


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=pytest.mark.xdist_group(f"{kind}-faults")) for kind in PLACES],
)
def broken(request: pytest.FixtureRequest, private_broker: Callable[..., Any]) -> tuple[str, Any]:
    """A kind, and a server of it that only these tests break."""
    return request.param, private_broker(request.param)


@pytest.fixture
def place(broken: tuple[str, Any], project: Project) -> Iterator[Place]:
    """A place on it for one test."""
    kind, server = broken
    with PLACES[kind](server) as made:
        yield made
        project.close()


def test_server_restarted(place: Place, project: Project) -> None:
    """A server that is stopped in order and started again gets its workers back, and keeps what it had."""
    with place.flow(project) as flow:
        flow.until_share(0.25)
        flow.until_age(place.young)
        with flow.fault():
            place.server.stop()
        place.server.start()
        flow.until_back()
        flow.finish()


def test_server_killed(place: Place, project: Project) -> None:
    """What was confirmed or committed before ``kill -9`` is handled after it."""
    with place.flow(project) as flow:
        flow.until_share(0.25)
        flow.until_age(place.young)
        with flow.fault():
            place.server.kill()
        place.server.start()
        flow.until_back()
        flow.finish()


def test_connections_ended(place: Place, project: Project) -> None:
    """Connections that are ended, several times, are opened again."""
    with place.flow(project) as flow:
        for share in (0.2, 0.3, 0.4):
            flow.until_share(share)
            with flow.fault():
                place.hang_up()
        flow.until_back()
        flow.finish()


def test_half_open_connections(place: Place, project: Project) -> None:
    """Connections that swallow everything and are never closed are noticed, and replaced."""
    with place.flow(project, near_state=True) as flow:
        flow.until_share(0.25)
        with flow.fault():
            place.proxy.strand()
        flow.until_back()
        flow.finish()


def test_network_frozen_for_a_while(place: Place, project: Project) -> None:
    """While nothing passes, on new connections either, nothing is lost; afterwards they work again."""
    with place.flow(project, near_state=True) as flow:
        flow.until_share(0.25)
        with flow.fault():
            place.proxy.freeze()
        until(lambda: flow.intake.client.get("/readyz").status_code == 503, "the intake says so", 60)
        place.proxy.clear()
        flow.until_back()
        flow.finish()


def test_workers_killed_in_handlers(place: Place, project: Project) -> None:
    """Workers killed with -9 in the middle of handlers: others do what they had in hand."""
    chance = random.Random(2026)
    deaths = 6
    with place.flow(project) as flow:
        for number in range(deaths):
            flow.until_share(0.15 + 0.5 * number / deaths)
            flow.replace(chance.choice(flow.workers))
        flow.until_back()
        flow.finish()
