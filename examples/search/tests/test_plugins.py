"""The example's plugins: what a token sees, and what health says."""

import msgspec

from examples.search.app import app
from examples.search.commands import CreateIndex, IndexItems
from examples.search.item import Item
from examples.search.plugins import has_text_search
from examples.search.queries import Query, Result
from worker import GetCrontab
from worker.testing import TestWorker

ITEMS = [Item("nana", "Nana"), Item("draft", "A draft", published=False)]


async def test_without_a_token_only_what_is_published_is_found() -> None:
    async with TestWorker(app) as worker:
        for command in (CreateIndex("books"), IndexItems("books", ITEMS)):
            await worker.send(command)
            await worker.run_until_idle()
        for query in (Query("books"), Query("books", published=False)):
            found: Result = await worker.query(query)
            assert [item.id for item in found.items] == ["nana"]


def test_the_catalog_is_well_where_texts_can_be_searched() -> None:
    assert has_text_search()


async def test_the_crontab_has_a_line() -> None:
    async with TestWorker(app) as worker:
        assert await worker.query(GetCrontab()) == ["0 4 * * 0 worker send DeleteAllInteractions"]


def test_the_plugins_are_on() -> None:
    registry = app.registry()
    assert set(registry.plugins) == {"published", "upkeep"}
    assert msgspec.structs.fields(Query)[-2].name == "published"
