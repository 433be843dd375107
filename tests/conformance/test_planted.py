"""The suite's own score: each planted bug is caught by the scenario that is there for it."""

import pytest

from tests.conformance import planted, waiting
from tests.conformance import shop as shops
from tests.conformance.catching import CATCHES, run, shorten
from tests.conformance.shop import opened_shop
from tests.conformance.working import WorkerSuite
from transports import registry
from worker.runtime.control import Control

CAUGHT_BY = [
    (planted.AcksBeforeHandling, "test_a_lost_lease_brings_the_message_back_and_counts"),
    (planted.AcksBeforeHandling, "test_settling_twice_is_told"),
    (planted.LosesGiveBacks, "test_a_give_back_is_visible_to_others_at_once_and_uncharged"),
    (planted.ChargesGiveBacks, "test_a_give_back_is_visible_to_others_at_once_and_uncharged"),
    (planted.ChargesGiveBacks, "test_a_give_back_uncounts_itself_only"),
    (planted.AcceptsStaleAcks, "test_f16_a_late_settlement_is_lost_and_changes_nothing"),
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
SCENARIOS = sorted({scenario for _, scenario in CAUGHT_BY})


@pytest.fixture
def make(tmp_path):
    return lambda clock: registry.create("memory", "memory://", {}, base=tmp_path, clock=clock)


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    shorten(monkeypatch, 0.5)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_the_scenario_passes_without_the_bug(scenario, make):
    await run(scenario, make)


@pytest.mark.parametrize(("bug", "scenario"), CAUGHT_BY, ids=lambda value: getattr(value, "__name__", value))
async def test_the_planted_bug_is_caught(bug, scenario, make):
    with pytest.raises(CATCHES):
        await run(scenario, make, bug)


WORKER_CAUGHT_BY = [
    (planted.AcksBeforeHandling, "test_c25_what_outlives_the_grace_is_given_back_uncharged"),
    (planted.ChargesGiveBacks, "test_c25_what_outlives_the_grace_is_given_back_uncharged"),
    (planted.ChargesGiveBacks, "test_c24_a_graceful_stop_finishes_what_runs_and_starts_nothing"),
    (planted.LosesGiveBacks, "test_c24_a_graceful_stop_finishes_what_runs_and_starts_nothing"),
    (planted.TakesNothing, "test_c07_a_failed_attempt_is_tried_again_and_counted"),
    (planted.HandsOutPrefetched, "test_c27_nothing_starts_once_a_pause_is_applied"),
    (planted.LosesGiveBacks, "test_c27_nothing_starts_once_a_pause_is_applied"),
    (planted.ChargesGiveBacks, "test_c27_nothing_starts_once_a_pause_is_applied"),
]


@pytest.mark.parametrize(
    ("bug", "scenario"), WORKER_CAUGHT_BY, ids=lambda value: getattr(value, "__name__", value)
)
async def test_the_planted_bug_is_caught_through_a_worker(bug, scenario, tmp_path, monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 0.5)
    with pytest.raises(CATCHES):
        async with opened_shop(tmp_path, "memory://", bug) as shop:
            await getattr(WorkerSuite(), scenario)(shop)


async def test_a_pause_that_is_not_stored_is_caught(tmp_path, monkeypatch):
    """Whoever starts later must know of it, which a pause in the workers' memory cannot do."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.5)
    good = shops.make_control

    def forgetful(service, worker):
        control = good(service, worker)
        control._desired = planted.ForgetfulPauses(control._desired)
        return control

    monkeypatch.setattr(shops, "make_control", forgetful)
    with pytest.raises(CATCHES):
        async with opened_shop(tmp_path, "memory://") as shop:
            await WorkerSuite().test_c28_a_pause_outlives_the_workers(shop)


async def test_a_gate_that_is_closed_too_late_is_caught(tmp_path, monkeypatch):
    """A worker that says that a pause is applied before it is."""
    monkeypatch.setattr(Control, "_apply", _says_so_only)
    with pytest.raises(CATCHES):
        async with opened_shop(tmp_path, "memory://") as shop:
            await WorkerSuite().test_c27_nothing_starts_once_a_pause_is_applied(shop)


async def _says_so_only(control, pauses):
    control.applied = pauses.version


def test_every_planted_bug_has_a_scenario():
    bugs = {
        value
        for value in vars(planted).values()
        if isinstance(value, type) and planted.Planted in value.__mro__[1:]
    }
    assert bugs == {bug for bug, _ in CAUGHT_BY}
    assert len(bugs) >= 8
