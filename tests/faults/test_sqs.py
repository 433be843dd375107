"""SQS fails in ways of its own while commands flow through three workers: nothing is lost."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.brokers import ports
from tests.brokers.sqs import ENVIRONMENT, InstalledSqs
from tests.deep import size
from tests.e2e.project import Project
from tests.e2e.waiting import stays, until
from tests.faults.flow import IN_HAND
from tests.faults.sqs import LEASE, Sqs, sqs
from tests.faults.stopping import stop_between_writes
from tests.proxy.gate import Gate

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.fault,
    pytest.mark.slow,
    pytest.mark.timeout(size(600, 3600)),
    pytest.mark.usefixtures("aws"),
]


@pytest.fixture(scope="module")
def broker(private_broker: Callable[..., Any]) -> InstalledSqs:
    """A server that only these tests break."""
    own: InstalledSqs = private_broker("sqs", advertised=ports.choose())
    return own


@pytest.fixture
def place(broker: InstalledSqs, project: Project) -> Iterator[Sqs]:
    """Queues of one test, with a gate before their server."""
    with sqs(broker, Gate) as made:
        yield made
        project.close()


def test_worker_frozen_past_its_leases_and_thawed(place: Sqs, project: Project) -> None:
    """Others do what it held; its late acks and its late effects change nothing."""
    with place.flow(project) as flow:
        flow.until_share(0.2)
        frozen, *others = flow.workers
        stop_between_writes(project, frozen)
        flow.freeze(frozen)
        frozen_at = time.monotonic()
        until(lambda: time.monotonic() - frozen_at > 2 * LEASE, "its leases are over", 3 * LEASE)
        before = flow.effects.count()
        until(lambda: flow.effects.count() > before or flow.load.done, "the others go on", 60)
        assert all(worker.running for worker in others)
        frozen.signal(signal.SIGCONT)
        flow.until_back()
        flow.finish()


@pytest.mark.parametrize("fifo", [False, True])
def test_throttling_and_batches_that_fail_in_part(place: Sqs, project: Project, fifo: bool) -> None:
    """Each seventh call is one too many, one entry in eight fails, and one in twenty is in no list of the answer."""
    chance = random.Random(15)
    gate: Gate = place.proxy
    with place.flow(project, fifo=fifo) as flow:
        flow.until_share(0.1)
        gate.throttle(7)
        gate.fails = lambda place: chance.random() < 1 / 8
        gate.hides = lambda place: chance.random() < 1 / 20
        flow.until_share(0.7)
        gate.fault = None
        gate.fails = gate.hides = lambda place: False
        flow.until_back()
        flow.finish()


def test_credentials_rotate_expire_and_are_renewed(
    place: Sqs, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they are refused, the intake is not ready and says why; with new ones all goes on."""
    for name in ENVIRONMENT.keys() - {"AWS_EC2_METADATA_DISABLED"}:
        monkeypatch.delenv(name)
    gate: Gate = place.proxy
    for name, value in gate.environment.items():
        monkeypatch.setenv(name, value)
    with place.flow(project) as flow:
        flow.until_share(0.25)
        rotated = gate.rotations
        assert rotated >= 20
        try:
            with flow.fault():
                gate.expired = True
            until(lambda: flow.intake.client.get("/readyz").status_code == 503, "the intake says so", 60)
            reasons = str(flow.intake.client.get("/readyz").json()["reasons"])
            assert "ExpiredToken" in reasons and "token-" not in reasons and "secret" not in reasons
            before = flow.effects.count()
            stays(lambda: all(worker.running for worker in flow.workers), "the workers go on trying", 5)
            assert flow.effects.count() - before <= IN_HAND
        finally:
            gate.expired = False
        flow.until_back()
        flow.finish()
        print(f"{gate.rotations} credentials, {gate.refused} calls refused for theirs")
