"""Ranks and bursts for workers over one transport: the better queue goes first, and a burst leaves nothing behind."""

from __future__ import annotations

import pytest

from tests.conformance.shop import Shop
from tests.conformance.waiting import PATIENCE, eventually
from worker.runtime.taking import prospect


@pytest.mark.usefixtures("unhurried")
class Ranking:
    """What a worker takes first, and when it ends by itself."""

    @pytest.fixture
    def unhurried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Slots wait for a better queue for longer than a busy machine takes to bring what is there."""
        monkeypatch.setattr(prospect, "FIRST", PATIENCE)
        monkeypatch.setattr(prospect, "NEXT", PATIENCE)

    async def test_the_better_queue_goes_first_over_a_backlog(self, shop: Shop) -> None:
        """Of backlogs on two queues at least 95 of the first 100, and 99 % of as many as it has, are the better one's."""
        await shop.rush(400, 400)
        async with shop.worker(concurrency=10):
            await eventually(lambda: len(shop.order) == 800, "both backlogs handled")
        assert shop.order[:100].count("Rush") >= 95
        assert shop.order[:400].count("Rush") >= 396

    async def test_a_limit_is_spent_on_the_better_queue(self, shop: Shop) -> None:
        """``-c 1 --limit 5`` with 5 urgent messages among 10 plain ones handles the 5 urgent."""
        await shop.rush(5, 10)
        async with shop.worker(concurrency=1, limit=5) as worker:
            await eventually(lambda: worker.stopping, "the limit reached")
        assert shop.order == ["Rush"] * 5

    async def test_the_first_burst_handles_all_that_waits(self, shop: Shop) -> None:
        """A burst that is the first ever to consume a queue does not end before it has had what waits there."""
        await shop.rush(20, 20)
        async with shop.worker(burst=True) as worker:
            await eventually(lambda: worker.stopping, "the end of the burst")
        assert sorted(shop.order) == ["Note"] * 20 + ["Rush"] * 20
