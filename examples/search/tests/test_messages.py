"""What intake refuses: the limits that the messages' types declare."""

from typing import Any

import msgspec
import pytest

from examples.search.commands import CreateIndex, IndexItems, UpdateItem
from examples.search.item import Item
from examples.search.queries import SearchItems


@pytest.mark.parametrize("name", ["", "Books", "my books", "-books", "books\n", "b" * 49, None, 7])
def test_a_name_of_an_index_has_a_form(name: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"index": name}, CreateIndex)


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""},
        {"title": "t" * 301},
        {"year": 2101},
        {"year": "1851"},
        {"language": "english"},
        {"subjects": [""]},
        {"subjects": ["s"] * 21},
        {"id": "Moby Dick"},
    ],
)
def test_an_item_has_limits(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": "moby-dick", "title": "Moby-Dick", **fields}, Item)


@pytest.mark.parametrize("items", [[], [{"id": "a", "title": "A"}] * 101])
def test_a_command_brings_one_to_a_hundred_items(items: list[Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"index": "books", "items": items}, IndexItems)


def test_an_update_tells_a_field_that_is_null_from_one_that_is_not_given() -> None:
    update = msgspec.json.decode(b'{"index": "books", "id": "nana", "year": null}', type=UpdateItem)
    assert (update.year, update.title) == (None, msgspec.UNSET)
    assert msgspec.json.decode(msgspec.json.encode(update)) == {"index": "books", "id": "nana", "year": None}


@pytest.mark.parametrize("limit", [0, 101])
def test_a_search_gives_one_to_a_hundred_items(limit: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"index": "books", "limit": limit}, SearchItems)
