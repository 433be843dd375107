"""Values as they were given, each with its source, and their merging into one tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Given(NamedTuple):
    """One value and where it stands.

    ``text`` says that the source has only text, so that ``"8000"`` is a number there.
    """

    value: Any
    source: str
    text: bool = False


Tree = dict[str, "Given | Tree"]
"""Tables by key; leaves are values with their source."""


def tree_of(table: Mapping[str, Any], source: str) -> Tree:
    """Make a tree of a parsed table."""
    return {
        str(key): tree_of(value, source) if isinstance(value, Mapping) else Given(value, source)
        for key, value in table.items()
    }


def put(tree: Tree, path: tuple[str, ...], given: Given) -> None:
    """Set the value at a path; what stands in its way is replaced."""
    for key in path[:-1]:
        below = tree.get(key)
        if not isinstance(below, dict):
            below = tree[key] = {}
        tree = below
    leaf: Given | Tree = given
    if isinstance(given.value, Mapping):
        leaf = tree_of(given.value, given.source)
    merge(tree, {path[-1]: leaf})


def merge(tree: Tree, over: Tree) -> None:
    """Lay one tree over another: its values win, tables are joined key by key."""
    for key, value in over.items():
        below = tree.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merge(below, value)
        else:
            tree[key] = value


def leaves(tree: Given | Tree) -> Iterator[Given]:
    """Every value below, in order."""
    if isinstance(tree, Given):
        yield tree
    else:
        for value in tree.values():
            yield from leaves(value)


def source_of(tree: Given | Tree) -> str:
    """Where a value stands; of a table, where its first value stands."""
    return next((leaf.source for leaf in leaves(tree)), "")
