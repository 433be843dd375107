"""The catalog from the outside: commands in, answers to queries out, on the transport and clock of the test kit."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from examples.search.app import app
from examples.search.change import Change
from examples.search.commands import (
    AddInteraction,
    ConfigureIndex,
    CreateIndex,
    DeleteAllInteractions,
    DeleteIndex,
    DeleteItems,
    IndexItems,
    ResetIndex,
    UpdateItems,
)
from examples.search.configuration import Configuration
from examples.search.errors import IndexNotFound
from examples.search.events import (
    IndexWasConfigured,
    IndexWasReset,
    InteractionWasAdded,
    ItemsWereAdded,
    ItemsWereDeleted,
    ItemsWereUpdated,
    QueryWasMade,
)
from examples.search.interaction import Interaction
from examples.search.item import Item
from examples.search.queries import CheckIndex, GetIndices, Query, Result
from examples.search.selection import Selection
from worker.testing import TestWorker

BOOKS = [
    Item("moby-dick", "Moby-Dick", "Herman Melville", 1851, "en", ["novel", "whaling", "sea voyages"]),
    Item("germinal", "Germinal", "Émile Zola", 1885, "fr", ["novel", "mining", "strikes"]),
    Item("nana", "Nana", "Émile Zola", 1880, "fr", ["novel", "theatre"]),
]
EVENTS = (
    IndexWasConfigured,
    IndexWasReset,
    InteractionWasAdded,
    ItemsWereAdded,
    ItemsWereDeleted,
    ItemsWereUpdated,
    QueryWasMade,
)
NANA = Selection(items_uuid=["nana~book"])


@pytest.fixture
async def worker() -> AsyncIterator[TestWorker]:
    """Give a worker that runs the example, with an empty database."""
    async with TestWorker(app) as running:
        yield running


@pytest.fixture
async def books(worker: TestWorker) -> TestWorker:
    """Give a worker whose catalog has three books."""
    await do(worker, CreateIndex("books"), IndexItems("books", BOOKS))
    return worker


async def do(worker: TestWorker, *commands: Any) -> None:
    """Send commands one after the other, each when the one before is handled."""
    for command in commands:
        await worker.send(command)
        await worker.run_until_idle()


async def wait(worker: TestWorker) -> None:
    """Let retries come due."""
    for _ in range(6):
        worker.clock.advance(60)
        await worker.run_until_idle()


async def find(worker: TestWorker, q: str = "", **asked: Any) -> list[str]:
    """Search, and give the ids of what was found."""
    found: Result = await worker.query(Query(**{"index": "books", "q": q, **asked}))
    return [item.id for item in found.items]


def happened(worker: TestWorker) -> list[str]:
    """Names of the events that left, but for searches."""
    return [kind.__name__ for kind in EVENTS if kind is not QueryWasMade for _ in worker.sent(kind)]


async def test_indexed_items_are_found_by_title_author_and_subject(books: TestWorker) -> None:
    assert await find(books, "moby") == ["moby-dick"]
    assert await find(books, "zola germinal") == ["germinal"]
    assert await find(books, "sea voyages") == ["moby-dick"]


async def test_accents_and_case_make_no_difference_and_the_last_word_may_be_a_start(
    books: TestWorker,
) -> None:
    assert sorted(await find(books, "EMILE zo")) == ["germinal", "nana"]
    assert await find(books, "zo emile") == []


async def test_an_answer_holds_whole_items_the_total_and_a_page(books: TestWorker) -> None:
    found = await books.query(Query("books", "novel", size=1))
    assert (found.total, len(found.items)) == (3, 1)
    assert len(await find(books, "novel", size=2, page=2)) == 1
    assert (await books.query(Query("books", "moby"))).items == [BOOKS[0]]


async def test_a_search_without_words_lists_by_title(books: TestWorker) -> None:
    assert await find(books) == ["germinal", "moby-dick", "nana"]


async def test_parameters_are_put_into_the_words(books: TestWorker) -> None:
    assert await find(books, "{{who}} nana{{nothing}}", parameters={"who": "zola"}) == ["nana"]


@pytest.mark.parametrize(
    "typed", ['"', "moby AND", "title:moby", "(moby", "*", "moby\0dick", "'; DROP TABLE catalog_item"]
)
async def test_the_search_language_of_the_database_is_not_reachable(books: TestWorker, typed: str) -> None:
    assert (await books.query(Query("books", typed))).total <= 1
    assert len(await find(books)) == 3


async def test_an_index_that_exists_is_an_error_that_is_seen_and_holds_up_nothing(books: TestWorker) -> None:
    await do(books, CreateIndex("books"), CreateIndex("films"))
    (failed,) = books.failed()
    assert failed.error is not None
    assert (failed.error.type, failed.attempts) == ("IndexExists", 1)
    assert await books.query(CheckIndex("films"))


async def test_items_for_an_index_that_is_not_there_wait_for_it(worker: TestWorker) -> None:
    await do(worker, IndexItems("books", BOOKS), CreateIndex("books"))
    await wait(worker)
    assert len(await find(worker)) == 3
    assert not worker.failed()


async def test_a_known_item_is_replaced(books: TestWorker) -> None:
    await do(books, IndexItems("books", [Item("nana", "Nana and other novels")]))
    assert await find(books, "theatre") == []
    assert await find(books, "other novels") == ["nana"]
    assert len(await find(books)) == 3


async def test_one_search_may_reach_several_indexes_and_never_those_of_another_app(
    worker: TestWorker,
) -> None:
    await do(
        worker,
        CreateIndex("books"),
        CreateIndex("french"),
        CreateIndex("films"),
        CreateIndex("books", app="shop"),
        IndexItems("books", BOOKS[:1]),
        IndexItems("french", BOOKS[1:2]),
        IndexItems("films", BOOKS[2:]),
        IndexItems("books", [Item("emma", "Emma, a novel")], app="shop"),
    )
    assert await find(worker, "novel") == ["moby-dick"]
    assert sorted(await find(worker, "novel", index="books,french")) == ["germinal", "moby-dick"]
    assert len(await find(worker, "novel", index="*")) == len(await find(worker, "novel", index="")) == 3
    assert await find(worker, "novel", index="*", app="shop") == ["emma"]
    with pytest.raises(IndexNotFound, match="there is no index 'gone'"):
        await find(worker, index="books,gone")


async def test_an_update_changes_the_given_fields_of_what_is_meant(books: TestWorker) -> None:
    changes = [Change("title", "Nana, a novel"), Change("year", None)]
    await do(books, UpdateItems("books", NANA, changes))
    (item,) = (await books.query(Query("books", "nana"))).items
    assert item == msgspec.structs.replace(BOOKS[2], title="Nana, a novel", year=None)
    await do(books, UpdateItems("books", Selection(q="zola"), [Change("language", "de")]))
    found = (await books.query(Query("books"))).items
    assert {item.id: item.language for item in found} == {"germinal": "de", "moby-dick": "en", "nana": "de"}


async def test_an_update_that_overtakes_its_items_waits_for_them(worker: TestWorker) -> None:
    update = UpdateItems("books", NANA, [Change("title", "Nana, a novel")])
    await do(worker, CreateIndex("books"), update, IndexItems("books", BOOKS))
    await wait(worker)
    assert await find(worker, "nana a novel") == ["nana"]
    assert not worker.failed()


async def test_an_update_of_items_that_never_come_is_kept_as_failed(worker: TestWorker) -> None:
    await do(worker, CreateIndex("books"), UpdateItems("books", NANA, [Change("title", "Nana")]))
    await wait(worker)
    assert len(worker.failed()) == 1


async def test_deleting_items_is_harmless_where_there_are_none(worker: TestWorker) -> None:
    await do(worker, DeleteItems("books", ["nana~book"]))
    assert not worker.failed()
    assert happened(worker) == []


async def test_a_deleted_item_is_no_longer_found(books: TestWorker) -> None:
    await do(books, DeleteItems("books", ["nana~book", "never~book"]))
    assert await find(books, "zola") == ["germinal"]
    assert books.sent(ItemsWereDeleted) == [ItemsWereDeleted("", "books", 1, ["nana~book"])]


async def test_a_reset_index_is_empty_and_keeps_its_configuration(books: TestWorker) -> None:
    await do(books, ConfigureIndex("books", Configuration(("title",))), ResetIndex("books"))
    assert await find(books) == []
    (index,) = await books.query(GetIndices())
    assert index.configuration == Configuration(("title",))


async def test_a_configured_index_finds_by_the_fields_that_it_names(books: TestWorker) -> None:
    await do(books, ConfigureIndex("books", Configuration(("title", "subjects"))))
    assert await find(books, "zola") == []
    assert await find(books, "mining") == ["germinal"]
    await do(books, IndexItems("books", [Item("emma", "Emma", "Jane Austen")]))
    assert await find(books, "austen") == []
    assert (await books.query(Query("books", "emma"))).items[0].author == "Jane Austen"
    await do(books, ConfigureIndex("books", Configuration()))
    assert await find(books, "austen") == ["emma"]


async def test_a_deleted_index_is_not_found_and_comes_back_empty(books: TestWorker) -> None:
    await do(books, DeleteIndex("books"))
    with pytest.raises(IndexNotFound):
        await find(books)
    await do(books, CreateIndex("books"))
    assert await find(books) == []
    assert await find(books, "zola") == []


async def test_queries_before_any_command_find_no_index(worker: TestWorker) -> None:
    with pytest.raises(IndexNotFound, match="there is no index 'books'"):
        await find(worker)
    assert await find(worker, index="*") == []
    assert await worker.query(CheckIndex("books")) is False
    assert await worker.query(GetIndices()) == []


@pytest.mark.parametrize("command", [DeleteIndex("books"), ResetIndex("books")])
async def test_what_needs_an_index_fails_where_there_never_is_one(worker: TestWorker, command: Any) -> None:
    await do(worker, command)
    await wait(worker)
    (failed,) = worker.failed()
    assert failed.error is not None
    assert failed.error.type == "IndexNotFound"


async def test_every_event_is_told_once_and_only_by_what_it_is_about(worker: TestWorker) -> None:
    interaction = Interaction("me", "nana~book", 3)
    filters, changes = '{"q":"","items_uuid":["nana~book"]}', '[{"field":"author","value":"Zola"}]'
    configured = IndexWasConfigured("", "books", '{"searchable":["title"]}')
    told: list[tuple[Any, list[Any]]] = [
        (CreateIndex("books"), []),
        (IndexItems("books", BOOKS), [ItemsWereAdded("", "books", 3, [book.uuid for book in BOOKS])]),
        (
            UpdateItems("books", NANA, [Change("author", "Zola")]),
            [ItemsWereUpdated("", "books", filters, changes)],
        ),
        (ConfigureIndex("books", Configuration(("title",))), [configured]),
        (DeleteItems("books", ["nana~book"]), [ItemsWereDeleted("", "books", 1, ["nana~book"])]),
        (ResetIndex("books"), [IndexWasReset("", "books")]),
        (DeleteIndex("books"), []),
        (AddInteraction(interaction), [InteractionWasAdded("", interaction)]),
        (DeleteAllInteractions(), []),
    ]
    for command, events in told:
        before = [event for kind in EVENTS for event in worker.sent(kind)]
        await do(worker, command)
        after = [event for kind in EVENTS for event in worker.sent(kind)]
        assert [event for event in after if event not in before] == events, command
    assert not worker.failed()


async def test_a_search_is_told_with_what_it_found(books: TestWorker) -> None:
    await books.query(Query("books", "zola nana", size=5, user="me"))
    (made,) = books.sent(QueryWasMade)
    assert (made.q, made.q_empty, made.q_length, made.size) == ("zola nana", False, 9, 5)
    assert (made.item_uuid, made.result_length, made.user) == (["nana~book"], 1, "me")
    assert msgspec.json.decode(made.query_serialized, type=Query) == Query(
        "books", "zola nana", 5, user="me", published=True
    )
    assert made.time_cost > 0


async def test_the_subscribers_count_what_happened(books: TestWorker) -> None:
    await do(
        books,
        UpdateItems("books", NANA, [Change("author", "Zola")]),
        DeleteItems("books", ["germinal~book"]),
    )
    await find(books, "novel")
    await find(books, "novel", index="*")
    await books.run_until_idle()
    (index,) = await books.query(GetIndices())
    assert (index.index, index.items) == ("books", 2)
    assert {event: (seen.count, seen.items) for event, seen in index.activity.items()} == {
        "ItemsWereAdded": (1, 3),
        "ItemsWereDeleted": (1, 1),
        "ItemsWereUpdated": (1, 0),
        "QueryWasMade": (1, 2),
    }
