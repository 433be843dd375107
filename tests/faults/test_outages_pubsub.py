"""Outages of a Pub/Sub emulator, of the line to it, and of workers that take from it."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.brokers.pubsub import OwnPubsub
from tests.deep import DEEP, long
from tests.e2e.project import Project
from tests.e2e.waiting import until
from tests.faults.outages import Outages
from tests.faults.pubsub import LEASE, Pubsub, pubsub
from tests.faults.stopping import stop_between_writes


@pytest.fixture(scope="module")
def server(private_broker: Callable[..., Any]) -> OwnPubsub:
    """A server that only these tests break."""
    own: OwnPubsub = private_broker("pubsub")
    return own


class TestPubsubOutages(Outages):
    """A kill empties the emulator, as an orderly end does: what it held is published again from the copies of it."""

    test_server_restarted = None  # the same as its kill
    if not DEEP:  # integration tests show in a few seconds that such lines, and a kill, are found out
        test_server_killed = None
        test_connections_ended = None
        test_half_open_connections = None
        test_network_frozen_for_a_while = None

    @pytest.fixture
    def place(self, server: OwnPubsub, project: Project) -> Iterator[Pubsub]:
        with pubsub(server) as made:
            yield made
            project.close()

    @long
    def test_worker_frozen_past_its_lease(self, place: Pubsub, project: Project) -> None:
        """What a stopped worker held is handled by others; when it goes on, it changes nothing any more."""
        with place.flow(project) as flow:
            flow.until_share(0.15)
            frozen = random.Random(2026).choice(flow.workers)
            with flow.fault():
                stop_between_writes(project, frozen)
            stop_between_writes(project, frozen)
            begun = time.monotonic()
            until(lambda: time.monotonic() - begun > 1.5 * LEASE, "its lease is over", 3 * LEASE)
            frozen.signal(signal.SIGCONT)
            flow.until_back()
            flow.finish()
