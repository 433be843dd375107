"""The RabbitMQ transport is a transport, on quorum and on classic queues."""

from pathlib import Path

import pytest

from tests.conformance import planted
from tests.conformance.clock import Clock
from tests.conformance.score import CAUGHT_BY, Score
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging.transport import Transport

pytestmark = pytest.mark.usefixtures("short_ladder")


class OnRabbitmq:
    pace = 0.1
    options = {"queue_type": "quorum"}

    @pytest.fixture
    def broker_url(self, rabbitmq_url: str) -> str:
        return rabbitmq_url


@pytest.mark.broker
class TestRabbitmqQuorum(OnRabbitmq, TransportSuite):
    def make(self, folder: Path, clock: Clock) -> Transport:
        return registry.create("rabbitmq", self.url, self.options | {"max_bytes": 300_000}, base=folder)


class TestRabbitmqClassic(TestRabbitmqQuorum):
    options = {"queue_type": "classic"}


@pytest.mark.broker
class TestRabbitmqQuorumWorker(OnRabbitmq, WorkerSuite):
    pass


class TestRabbitmqClassicWorker(TestRabbitmqQuorumWorker):
    options = {"queue_type": "classic"}


CANNOT_BE = {
    "test_a_lost_lease_brings_the_message_back_and_counts",
    "test_a_give_back_uncounts_itself_only",
    "test_f16_one_consumer_with_an_old_and_a_new_delivery_of_a_message",
    "test_c33_extending_what_is_lost_is_refused",
    "test_an_acked_message_never_comes_back",
}
"""Without leases, with a clock of its own."""


@pytest.mark.broker
@pytest.mark.conformance
class TestRabbitmqScore(OnRabbitmq, Score):
    kind = "rabbitmq"
    worker_patience = 3.0
    caught_by = [
        *((bug, scenario) for bug, scenario in CAUGHT_BY if scenario not in CANNOT_BE),
        (planted.AcceptsStaleAcks, "test_c34_a_receipt_of_an_earlier_connection_is_harmless"),
        (planted.ForgetsHalfOfABatch, "test_closing_waits_for_settlements_under_way"),
    ]
    through_a_worker = [
        (planted.AcksBeforeHandling, "test_c25_what_outlives_the_grace_is_given_back_uncharged"),
        (planted.ChargesGiveBacks, "test_c25_what_outlives_the_grace_is_given_back_uncharged"),
        (planted.LosesGiveBacks, "test_c24_a_graceful_stop_finishes_what_runs_and_starts_nothing"),
        (planted.TakesNothing, "test_c07_a_failed_attempt_is_tried_again_and_counted"),
    ]
