"""The shipped catalog: every line is a command that intake takes."""

from pathlib import Path
from typing import Literal

import msgspec

from examples.search.app import app
from examples.search.commands import CreateIndex, IndexItems
from examples.search.queries import GetIndices, Query
from worker.testing import TestWorker

BOOKS = Path(__file__).parents[1] / "data" / "books.ndjson"


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One line of the file."""

    type: Literal["IndexItems"]
    data: IndexItems


def commands() -> list[IndexItems]:
    """Read the file as intake would."""
    return [msgspec.json.decode(line, type=Line).data for line in BOOKS.read_bytes().splitlines()]


def test_the_file_holds_thirty_commands_of_ten_books_each() -> None:
    assert [len(command.items) for command in commands()] == [10] * 30


def test_no_id_and_no_pair_of_title_and_author_stands_twice() -> None:
    books = [book for command in commands() for book in command.items]
    assert len({book.id for book in books}) == len({(book.title, book.author) for book in books}) == 300


async def test_the_whole_catalog_can_be_searched() -> None:
    async with TestWorker(app) as worker:
        await worker.send(CreateIndex("books"))
        await worker.run_until_idle()
        for command in commands():
            await worker.send(command)
        await worker.run_until_idle()
        (index,) = await worker.query(GetIndices())
        assert (index.items, index.activity["ItemsWereAdded"].items) == (300, 300)
        found = await worker.query(Query("books", "melville whal"))
        assert [book.title for book in found.items] == ["Moby-Dick"]
