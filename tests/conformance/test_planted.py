"""The score on memory, and what only a store or a worker can get wrong."""

import pytest

from tests.conformance import planted, waiting
from tests.conformance import shop as shops
from tests.conformance.catching import CATCHES, run
from tests.conformance.score import CAUGHT_BY, Score
from tests.conformance.shop import opened_shop
from tests.conformance.working import WorkerSuite
from worker.runtime.holding.control import Control


class TestMemoryScore(Score):
    kind = "memory"
    patience = worker_patience = 0.5
    limit = 5.0
    caught_by = [
        *CAUGHT_BY,
        (planted.AcceptsStaleAcks, "test_f16_a_late_settlement_is_lost_and_changes_nothing"),
    ]

    @pytest.fixture
    def broker_url(self) -> str:
        return "memory://"

    @pytest.mark.parametrize("scenario", sorted({scenario for _, scenario in caught_by}))
    async def test_the_scenario_passes_without_the_bug(self, scenario, make):
        await run(scenario, make, limit=60.0)


async def test_a_pause_that_is_not_stored_is_caught(tmp_path, monkeypatch):
    """A worker that starts later must know of it, which a pause in the workers' memory cannot do."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.5)
    good = shops.make_consumers

    def forgetful(*given):
        made = good(*given)
        made.control._desired = planted.ForgetfulPauses(made.control._desired)
        return made

    monkeypatch.setattr(shops, "make_consumers", forgetful)
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
