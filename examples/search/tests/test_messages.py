"""What intake refuses: the limits that the messages' types declare."""

from typing import Any

import msgspec
import pytest

from examples.search.commands import CreateIndex, IndexItems, UpdateItems
from examples.search.item import Item
from examples.search.queries import Query


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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("year", "1851"),
        ("language", "english"),
        ("subjects", None),
        ("id", "x"),
        ("published", 1),
    ],
)
def test_a_change_fits_its_field(field: str, value: Any) -> None:
    update = {"index": "books", "query": {"q": "zola"}, "changes": [{"field": field, "value": value}]}
    with pytest.raises(msgspec.ValidationError, match="changes"):
        msgspec.convert(update, UpdateItems)


@pytest.mark.parametrize("query", [{}, {"q": "  "}, {"items_uuid": []}, {"items_uuid": ["nana"]}])
def test_an_update_says_which_items_it_means(query: dict[str, Any]) -> None:
    changes = [{"field": "year", "value": None}]
    with pytest.raises(msgspec.ValidationError, match="query"):
        msgspec.convert({"index": "books", "query": query, "changes": changes}, UpdateItems)


@pytest.mark.parametrize("index", ["books,", "books, films", "*,books", "Books"])
def test_a_search_names_indexes_all_or_none(index: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"index": index}, Query)


@pytest.mark.parametrize("size", [0, 101])
def test_a_search_gives_one_to_a_hundred_items(size: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"index": "books", "size": size}, Query)
