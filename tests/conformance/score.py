"""The suite's own score: each planted bug is caught by a scenario that is there for it, on every broker."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from tests.conformance import planted, waiting
from tests.conformance.catching import CATCHES, run, shorten
from tests.conformance.paced import paced
from tests.conformance.shop import opened_shop
from tests.conformance.working import WorkerSuite
from transports import registry

Caught = Sequence[tuple[type, str]]
"""Bugs, and the scenario that catches each."""

CAUGHT_BY: Caught = [
    (planted.AcksBeforeHandling, "test_a_lost_lease_brings_the_message_back_and_counts"),
    (planted.AcksBeforeHandling, "test_settling_twice_is_told"),
    (planted.LosesGiveBacks, "test_a_give_back_is_visible_to_others_at_once_and_uncharged"),
    (planted.ChargesGiveBacks, "test_a_give_back_is_visible_to_others_at_once_and_uncharged"),
    (planted.ChargesGiveBacks, "test_a_give_back_uncounts_itself_only"),
    (planted.AcceptsStaleAcks, "test_f16_one_consumer_with_an_old_and_a_new_delivery_of_a_message"),
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
    (planted.LiesAboutLeases, "test_c33_extending_what_is_lost_is_refused"),
    (planted.ForgetsHalfOfABatch, "test_an_acked_message_never_comes_back"),
]

CAUGHT_THROUGH_A_WORKER: Caught = [
    (planted.AcksBeforeHandling, "test_c25_what_outlives_the_grace_is_given_back_uncharged"),
    (planted.ChargesGiveBacks, "test_c25_what_outlives_the_grace_is_given_back_uncharged"),
    (planted.ChargesGiveBacks, "test_c24_a_graceful_stop_finishes_what_runs_and_starts_nothing"),
    (planted.LosesGiveBacks, "test_c24_a_graceful_stop_finishes_what_runs_and_starts_nothing"),
    (planted.TakesNothing, "test_c07_a_failed_attempt_is_tried_again_and_counted"),
    (planted.HandsOutPrefetched, "test_c27_nothing_starts_once_a_pause_is_applied"),
    (planted.LosesGiveBacks, "test_c27_nothing_starts_once_a_pause_is_applied"),
    (planted.ChargesGiveBacks, "test_c27_nothing_starts_once_a_pause_is_applied"),
]


class Score:
    """The score on one broker; give it a fixture ``broker_url``.

    Attributes:
        kind: of the transport.
        caught_by: what is caught there, of the suite of transports.
        through_a_worker: likewise, of the suite of workers.
        patience: seconds after which a scenario gives up waiting, likewise for workers in ``worker_patience``.
        pace: of a broker with a clock of its own.
        limit: seconds for one scenario.
    """

    kind: ClassVar[str]
    caught_by: ClassVar[Caught] = CAUGHT_BY
    through_a_worker: ClassVar[Caught] = CAUGHT_THROUGH_A_WORKER
    patience: ClassVar[float] = 1.0
    worker_patience: ClassVar[float] = 1.0
    pace: ClassVar[float | None] = None
    limit: ClassVar[float] = 30.0

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test for each bug that is caught here."""
        tables = {
            "test_the_planted_bug_is_caught": self.caught_by,
            "test_the_planted_bug_is_caught_through_a_worker": self.through_a_worker,
        }
        table = tables.get(metafunc.function.__name__)
        if table is not None:
            metafunc.parametrize(
                ("bug", "scenario"), table, ids=lambda value: getattr(value, "__name__", value)
            )

    @pytest.fixture
    def make(self, broker_url: str, tmp_path: Any) -> Any:
        """Makes the good transport."""

        def good(clock: Any) -> Any:
            made = registry.create(self.kind, broker_url, {}, base=tmp_path, clock=clock)
            return made if self.pace is None else paced(made, self.pace)

        return good

    async def test_the_planted_bug_is_caught(self, bug, scenario, make, monkeypatch):
        shorten(monkeypatch, self.patience)
        with pytest.raises(CATCHES):
            await run(scenario, make, bug, pace=self.pace, limit=self.limit)

    async def test_the_planted_bug_is_caught_through_a_worker(
        self, bug, scenario, broker_url, monkeypatch, tmp_path
    ):
        monkeypatch.setattr(waiting, "PATIENCE", self.worker_patience)
        with pytest.raises(CATCHES):
            async with opened_shop(tmp_path, broker_url, bug, pace=self.pace) as shop:
                await getattr(WorkerSuite(), scenario)(shop)
