"""The RabbitMQ transport is a transport, on quorum and on classic queues."""

from pathlib import Path

import pytest

from tests.conformance import planted, waiting
from tests.conformance.catching import CATCHES, run, shorten
from tests.conformance.clock import Clock
from tests.conformance.paced import paced
from tests.conformance.shop import opened_shop
from tests.conformance.suite import TransportSuite
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.messaging.transport import Transport


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


CAUGHT_BY = [
    (planted.AcksBeforeHandling, "test_settling_twice_is_told"),
    (planted.LosesGiveBacks, "test_a_give_back_is_visible_to_others_at_once_and_uncharged"),
    (planted.ChargesGiveBacks, "test_a_give_back_is_visible_to_others_at_once_and_uncharged"),
    (planted.AcceptsStaleAcks, "test_c34_a_receipt_of_an_earlier_connection_is_harmless"),
    (planted.DispatchesTwice, "test_two_consumers_share_without_overlap"),
    (planted.LosesHeadersInRetry, "test_again_swaps_the_message_in_one_step"),
    (planted.SwallowsPublishFailures, "test_a_queue_that_was_never_set_up_is_unroutable"),
    (planted.SwallowsPublishFailures, "test_c30_publishing_without_a_connection_raises"),
    (planted.TakesNothing, "test_a_consumer_that_found_nothing_still_receives"),
    (planted.LosesWhatIsCancelled, "test_cancelling_a_receive_loses_nothing"),
    (planted.IgnoresPause, "test_c27_a_paused_subscription_takes_nothing_and_keeps_nothing"),
    (planted.HandsOutPrefetched, "test_c27_a_paused_subscription_takes_nothing_and_keeps_nothing"),
    (planted.HandsOutEarly, "test_c10_a_delayed_message_is_never_early"),
    (planted.RetriesAtTheEnd, "test_c20_order_is_kept_by_key"),
    (planted.ForgetsKeys, "test_c21_a_successor_waits_for_the_head"),
    (planted.ForgetsHalfOfABatch, "test_closing_waits_for_settlements_under_way"),
]
"""All but the one that lies about leases: there are none."""


@pytest.mark.broker
@pytest.mark.conformance
@pytest.mark.parametrize(("bug", "scenario"), CAUGHT_BY, ids=lambda value: getattr(value, "__name__", value))
async def test_the_planted_bug_is_caught(bug, scenario, rabbitmq_url, monkeypatch, tmp_path):
    """The suite's own score on RabbitMQ."""
    shorten(monkeypatch, 1.0)

    def make(clock):
        return paced(registry.create("rabbitmq", rabbitmq_url, {}, base=tmp_path, clock=clock), 0.1)

    with pytest.raises(CATCHES):
        await run(scenario, make, bug, pace=0.1, limit=30.0)


WORKER_CAUGHT_BY = [
    (planted.AcksBeforeHandling, "test_c25_what_outlives_the_grace_is_given_back_uncharged"),
    (planted.ChargesGiveBacks, "test_c25_what_outlives_the_grace_is_given_back_uncharged"),
    (planted.LosesGiveBacks, "test_c24_a_graceful_stop_finishes_what_runs_and_starts_nothing"),
    (planted.TakesNothing, "test_c07_a_failed_attempt_is_tried_again_and_counted"),
]


@pytest.mark.broker
@pytest.mark.conformance
@pytest.mark.parametrize(
    ("bug", "scenario"), WORKER_CAUGHT_BY, ids=lambda value: getattr(value, "__name__", value)
)
async def test_the_planted_bug_is_caught_through_a_worker(bug, scenario, rabbitmq_url, monkeypatch, tmp_path):
    """Likewise, through a worker."""
    monkeypatch.setattr(waiting, "PATIENCE", 3.0)
    with pytest.raises(CATCHES):
        async with opened_shop(tmp_path, rabbitmq_url, bug, pace=0.1) as shop:
            await getattr(WorkerSuite(), scenario)(shop)
