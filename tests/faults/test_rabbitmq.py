"""RabbitMQ fails in ways of its own while commands flow through three workers: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.brokers.rabbitmq import OwnRabbitMQ
from tests.deep import size
from tests.e2e.project import Project
from tests.e2e.waiting import stays, until
from tests.faults.flow import IN_HAND
from tests.faults.load import LANES, LINES, type_of
from tests.faults.pausing import outlives_workers_and_broker
from tests.faults.rabbit import QUEUE, Rabbit, rabbit

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.timeout(size(600, 3600)),
]

WRONG = "not-the-password"


@pytest.fixture(scope="module")
def broker(private_broker: Callable[..., Any]) -> OwnRabbitMQ:
    """A server that only these tests break."""
    return private_broker("rabbitmq")


@pytest.fixture
def place(broker: OwnRabbitMQ) -> Iterator[Rabbit]:
    """A virtual host for one test."""
    with rabbit(broker) as made:
        yield made


def test_broker_killed_with_classic_queues(place: Rabbit, project: Project) -> None:
    """What a broker had confirmed before ``kill -9`` is handled after it, with classic queues, too."""
    with place.flow(project, "classic") as flow:
        flow.outlives(place.server.kill, place.server.start)


def test_intakes_killed(place: Rabbit, project: Project) -> None:
    """What an intake has answered with 202 is handled, though it was killed with -9 then."""
    with place.flow(project) as flow:
        for share in (0.2, 0.3, 0.4):
            flow.until_share(share)
            flow.restart_intake()
        flow.until_back()
        flow.finish()


def test_queue_deleted_under_its_consumers(place: Rabbit, project: Project) -> None:
    """A queue that an operator deletes takes away what was in it, no more: workers make it anew and go on."""
    with place.flow(project) as flow:
        flow.until_share(0.25)
        with flow.fault():
            place.delete(QUEUE)
        deleted = flow.now()
        held = len(flow.load.tally.accepted) - flow.effects.count() + IN_HAND + LANES * LINES
        flow.until_back()

        def in_the_queue() -> list[int]:
            begun = flow.load.tally.accepted
            return [number for number in begun if type_of(number) == "Take" and begun[number] < deleted]

        flow.finish(lost=in_the_queue, at_most=held)


def test_credentials_revoked_and_restored(place: Rabbit, project: Project) -> None:
    """While the password is refused, the intake is not ready and says why, without the password; then all goes on."""
    with place.flow(project) as flow:
        flow.until_share(0.25)
        try:
            with flow.fault():
                place.server.change_password(WRONG)
                # the login for the management API has changed as well: the command line closes them
                place.server.close_connections()
            until(lambda: flow.intake.client.get("/readyz").status_code == 503, "the intake says so", 60)
            reasons = flow.intake.client.get("/readyz").json()["reasons"]
            assert reasons and "guest:guest" not in str(reasons)
            before = flow.effects.count()
            stays(lambda: all(worker.running for worker in flow.workers), "the workers go on trying", 5)
            assert flow.effects.count() - before <= IN_HAND
        finally:
            place.server.change_password("guest")
        flow.until_back()
        flow.finish()


def test_memory_alarm(place: Rabbit, project: Project) -> None:
    """While the broker takes nothing, the intake answers 503 within its time, and workers finish what is there."""
    with place.flow(project) as flow:
        flow.until_share(0.25)
        place.server.raise_alarm()
        try:
            until(flow.refused, "the intake answers 503", 60, 0.1)
            accepted = len(flow.load.tally.accepted)
            until(lambda: flow.effects.count() >= accepted, "what was accepted is handled meanwhile", 60, 0.1)
        finally:
            place.server.clear_alarm()
        flow.until_back()
        flow.finish()
        assert flow.load.tally.slowest < 45, "an answer took longer than the publish timeout allows"


def test_a_pause_outlives_workers_and_broker(broker: OwnRabbitMQ, project: Project) -> None:
    """Whatever is killed, nothing of a paused type starts."""
    outlives_workers_and_broker(project, broker)
