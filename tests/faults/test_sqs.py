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
from tests.deep import long, size
from tests.e2e.project import Project
from tests.e2e.waiting import stays, until
from tests.faults.flow import IN_HAND
from tests.faults.keyed import Keyed
from tests.faults.sqs import COMMANDS, LEASE, Sqs, sqs
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


@long
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


def spoil(gate: Gate) -> None:
    """Each seventh call is one too many, one entry in eight fails, and one in twenty is in no list of the answer."""
    chance = random.Random(15)
    gate.throttle(7)
    gate.fails = lambda place: chance.random() < 1 / 8
    gate.hides = lambda place: chance.random() < 1 / 20


def test_throttling_and_batches_that_fail_in_part(place: Sqs, project: Project) -> None:
    """What was not taken is sent again, what is not known to be gone is removed again, and nothing else."""
    with place.flow(project) as flow:
        flow.until_share(0.1)
        spoil(place.proxy)
        flow.until_share(0.7)
        place.proxy.clear()
        flow.until_back()
        flow.finish()


def test_batches_that_fail_in_part_reorder_no_key(place: Sqs, project: Project) -> None:
    """Neither when they are sent, nor where an attempt fails and waits for its retry."""
    with Keyed(project, place.url, options=f"lease = {LEASE}", commands=COMMANDS) as running:
        spoil(place.proxy)
        running.until_share(0.6)
        place.proxy.clear()
        running.finish()


@long
def test_credentials_rotate_expire_and_are_renewed(
    place: Sqs, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they are refused, the intake is not ready and its log says why; with new ones all goes on."""
    for name in ENVIRONMENT.keys() - {"AWS_EC2_METADATA_DISABLED"}:
        monkeypatch.delenv(name)
    gate: Gate = place.proxy
    for name, value in gate.environment.items():
        monkeypatch.setenv(name, value)
    gate.steady = 0.5
    with place.flow(project) as flow:
        flow.until_share(0.25)
        try:
            with flow.fault():
                gate.expired = True
            until(lambda: flow.intake.client.get("/readyz").status_code == 503, "the intake says so", 60)
            reasons = flow.intake.client.get("/readyz").json()["reasons"]
            log = flow.intake.process.log
            assert any("sqs" in reason for reason in reasons) and "ExpiredToken" in log
            assert not any(word in f"{reasons}{log}" for word in ("token-", "secret"))
            before = flow.effects.count()
            stays(lambda: all(worker.running for worker in flow.workers), "the workers go on trying", 5)
            assert flow.effects.count() - before <= IN_HAND
        finally:
            gate.expired = False
        flow.until_back()
        flow.finish()
        assert gate.rotations >= 20
        print(f"{gate.rotations} credentials, {gate.refused} calls refused for theirs")
