"""The example's catalog answers the same from every database that it can be stored in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from examples.search import activity
from examples.search.configuration import Configuration
from examples.search.item import Item
from examples.search.postgresql import Postgresql, words
from examples.search.storage import Catalog

BOOKS = [
    Item("moby-dick", "Moby-Dick", "Herman Melville", 1851, "en", ["novel", "whaling", "sea voyages"]),
    Item("germinal", "Germinal", "Émile Zola", 1885, "fr", ["novel", "mining", "strikes"]),
    Item("nana", "Nana", "Émile Zola", 1880, "fr", ["novel", "theatre"]),
    Item("tess", "Tess of the d'Urbervilles", "Thomas Hardy", 1891, "en", []),
    Item("zola", "Zola: a life", "Somebody Else", None, None, ["biography"]),
]


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path) -> AsyncIterator[AsyncEngine]:
    """A database without tables."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/catalog.db"
    else:
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url)
    yield engine
    await engine.dispose()


async def ids(session: AsyncSession, typed: str) -> list[str]:
    _, found = await Catalog(session, "").search(["books"], typed, 10)
    return [item.id for item in found]


@pytest.mark.broker
async def test_items_are_found_by_words_phrases_and_the_start_of_the_last_word(engine: AsyncEngine) -> None:
    """Accents and case make no difference, a title says more than an author, and no text is an error."""
    async with AsyncSession(engine) as session, session.begin():
        catalog = await Catalog.open(session, "")
        assert await catalog.create_index("books", Configuration())
        assert not await catalog.create_index("books", Configuration())
        await catalog.put("books", BOOKS)
        await catalog.put("books", [Item("nana", "Nana", "Émile Zola", 1880, "fr", ["novel", "stage"])])
        assert await ids(session, "moby") == ["moby-dick"]
        assert await ids(session, "zola germinal") == ["germinal"]
        assert sorted(await ids(session, "EMILE zo")) == ["germinal", "nana"]
        first, *others = await ids(session, "zola")
        assert (first, sorted(others)) == ("zola", ["germinal", "nana"])
        assert await ids(session, "d'Urbervilles") == ["tess"]
        assert await ids(session, "Urbervilles'd") == []
        assert await ids(session, "theatre") == []
        assert await ids(session, "stage") == ["nana"]
        assert await ids(session, "") == ["germinal", "moby-dick", "nana", "tess", "zola"]
        for odd in (" * ) -- ", "'", "a' | b:*", "\\", "<->", "é' OR ''", "\0"):
            await ids(session, odd)
        assert await catalog.get("books", "zola~book") == BOOKS[-1]
        await catalog.configure_index("books", Configuration(("subjects",)))
        assert (await ids(session, "zola"), await ids(session, "strikes")) == ([], ["germinal"])
        assert await catalog.delete("books", ["zola~book", "gone~book"]) == ["zola~book"]
        assert await catalog.count("books") == 4


@pytest.mark.broker
async def test_several_workers_may_make_the_tables_at_once(engine: AsyncEngine) -> None:
    """The first messages after a start may be handled in many processes: none fails, none is lost from the count."""

    async def work(number: int) -> None:
        async with AsyncSession(engine) as session, session.begin():
            await activity.note(session, "", "books", "ItemsWereAdded", number)

    if engine.dialect.name == "sqlite":  # one writer at a time, as the worker's own connection sees to
        for number in range(8):
            await work(number)
    else:
        await asyncio.gather(*(work(number) for number in range(8)))
    async with AsyncSession(engine) as session:
        found = (await activity.of_app(session, ""))["books"]
    assert (found["ItemsWereAdded"].count, found["ItemsWereAdded"].items) == (8, 28)


@given(st.text(max_size=300))
def test_whatever_is_stored_or_typed_becomes_plain_words(text: str) -> None:
    """No character of PostgreSQL's own languages is left in a word."""
    for word in words(text):
        assert word.isalnum()
    column = Postgresql().words(Item("x", text or "x", text))["words"]
    assert column.count("'") == 2 * len(column.split())
