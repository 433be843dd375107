"""The catalog from the outside: commands in, answers to queries out, on the transport and clock of the test kit."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from examples.search.app import app
from examples.search.commands import CreateIndex, DeleteIndex, DeleteItem, IndexItems, UpdateItem
from examples.search.errors import IndexNotFound
from examples.search.events import IndexCreated, ItemDeleted, ItemsIndexed
from examples.search.item import Item
from examples.search.queries import Found, IndexStats, SearchItems
from worker.testing import TestWorker

BOOKS = [
    Item("moby-dick", "Moby-Dick", "Herman Melville", 1851, "en", ["novel", "whaling", "sea voyages"]),
    Item("germinal", "Germinal", "Émile Zola", 1885, "fr", ["novel", "mining", "strikes"]),
    Item("nana", "Nana", "Émile Zola", 1880, "fr", ["novel", "theatre"]),
]


@pytest.fixture
async def worker() -> AsyncIterator[TestWorker]:
    """Give a worker that runs the example, with an empty database."""
    async with TestWorker(app) as running:
        yield running


async def do(worker: TestWorker, *commands: Any) -> None:
    """Send commands one after the other, each when the one before is handled."""
    for command in commands:
        await worker.send(command)
        await worker.run_until_idle()


async def find(worker: TestWorker, q: str = "", limit: int = 10, index: str = "books") -> list[str]:
    """Search, and give the ids of what was found."""
    found: Found = await worker.query(SearchItems(index, q, limit))
    return [item.id for item in found.items]


async def test_indexed_items_are_found_by_title_author_and_subject(worker: TestWorker) -> None:
    await do(worker, CreateIndex("books"), IndexItems("books", BOOKS))
    assert len(worker.handled(IndexItems)) == 1
    assert await find(worker, "moby") == ["moby-dick"]
    assert await find(worker, "zola germinal") == ["germinal"]
    assert await find(worker, "sea voyages") == ["moby-dick"]


async def test_accents_and_case_make_no_difference_and_the_last_word_may_be_a_start(
    worker: TestWorker,
) -> None:
    await do(worker, IndexItems("books", BOOKS))
    assert sorted(await find(worker, "EMILE zo")) == ["germinal", "nana"]
    assert await find(worker, "zo emile") == []


async def test_an_answer_holds_whole_items_the_total_and_no_more_than_the_limit(worker: TestWorker) -> None:
    await do(worker, IndexItems("books", BOOKS))
    found = await worker.query(SearchItems("books", "novel", limit=1))
    assert (found.total, len(found.items)) == (3, 1)
    assert (await worker.query(SearchItems("books", "moby"))).items == [BOOKS[0]]


async def test_a_search_without_words_lists_by_title(worker: TestWorker) -> None:
    await do(worker, IndexItems("books", BOOKS))
    assert await find(worker) == ["germinal", "moby-dick", "nana"]


@pytest.mark.parametrize(
    "typed", ['"', "moby AND", "title:moby", "(moby", "*", "moby\0dick", "'; DROP TABLE search_item"]
)
async def test_the_search_language_of_the_database_is_not_reachable(worker: TestWorker, typed: str) -> None:
    await do(worker, IndexItems("books", BOOKS))
    assert (await worker.query(SearchItems("books", typed))).total <= 1
    assert len(await find(worker)) == 3


async def test_items_create_a_missing_index_and_say_so(worker: TestWorker) -> None:
    await do(worker, IndexItems("books", BOOKS))
    assert len(worker.sent(IndexCreated)) == 1
    await do(worker, CreateIndex("books"))
    assert len(worker.sent(IndexCreated)) == 1


async def test_a_known_id_is_replaced(worker: TestWorker) -> None:
    await do(worker, IndexItems("books", BOOKS), IndexItems("books", [Item("nana", "Nana and other novels")]))
    assert await find(worker, "theatre") == []
    assert await find(worker, "other novels") == ["nana"]
    assert len(await find(worker)) == 3


async def test_one_index_does_not_show_items_of_another(worker: TestWorker) -> None:
    await do(worker, IndexItems("books", BOOKS[:1]), IndexItems("french", BOOKS[1:]))
    assert await find(worker, "novel", index="books") == ["moby-dick"]


async def test_an_update_changes_the_given_fields_only(worker: TestWorker) -> None:
    await do(
        worker, IndexItems("books", BOOKS), UpdateItem("books", "nana", title="Nana, a novel", year=None)
    )
    (item,) = (await worker.query(SearchItems("books", "nana"))).items
    assert item == msgspec.structs.replace(BOOKS[2], title="Nana, a novel", year=None)


async def test_an_update_that_overtakes_its_item_waits_for_it(worker: TestWorker) -> None:
    await do(worker, UpdateItem("books", "nana", title="Nana, a novel"), IndexItems("books", BOOKS))
    worker.clock.advance(60)
    await worker.run_until_idle()
    assert await find(worker, "nana a novel") == ["nana"]
    assert not worker.failed()


async def test_an_update_of_an_item_that_never_comes_is_kept_as_failed(worker: TestWorker) -> None:
    await do(worker, CreateIndex("books"), UpdateItem("books", "nana", title="Nana, a novel"))
    for _ in range(6):
        worker.clock.advance(60)
        await worker.run_until_idle()
    assert len(worker.failed()) == 1


async def test_deleting_is_harmless_where_there_is_nothing(worker: TestWorker) -> None:
    await do(worker, DeleteItem("books", "nana"), DeleteIndex("books"))
    assert not worker.failed()
    assert not worker.sent(ItemDeleted)


async def test_a_deleted_item_is_no_longer_found(worker: TestWorker) -> None:
    await do(worker, IndexItems("books", BOOKS), DeleteItem("books", "nana"))
    assert await find(worker, "zola") == ["germinal"]


async def test_a_deleted_index_is_not_found_and_comes_back_empty(worker: TestWorker) -> None:
    await do(worker, IndexItems("books", BOOKS), DeleteIndex("books"))
    with pytest.raises(IndexNotFound):
        await find(worker)
    await do(worker, CreateIndex("books"))
    assert await find(worker) == []
    assert await find(worker, "zola") == []


async def test_queries_before_any_command_say_that_there_is_no_such_index(worker: TestWorker) -> None:
    with pytest.raises(IndexNotFound, match="there is no index 'books'"):
        await find(worker)
    with pytest.raises(IndexNotFound):
        await worker.query(IndexStats("books"))


async def test_the_subscribers_count_what_happened(worker: TestWorker) -> None:
    await do(
        worker,
        CreateIndex("books"),
        IndexItems("books", BOOKS[:2]),
        IndexItems("books", BOOKS[2:]),
        UpdateItem("books", "nana", author="Zola"),
        DeleteItem("books", "germinal"),
        DeleteIndex("books"),
        CreateIndex("books"),
    )
    assert len(worker.handled(ItemsIndexed)) == 2
    stats = await worker.query(IndexStats("books"))
    assert {event: (seen.count, seen.items) for event, seen in stats.activity.items()} == {
        "IndexCreated": (2, 0),
        "IndexDeleted": (1, 2),
        "ItemDeleted": (1, 1),
        "ItemUpdated": (1, 1),
        "ItemsIndexed": (2, 3),
    }
    assert stats.items == 0
