"""What may be asked of a collection: filters, order, the size of a page, and where it begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from worker.errors import Fault
from worker.http.endpoint import Parameter
from worker.http.parameters import invalid
from worker.http.resources.cursor import EXPECTED, MAX_LENGTH, begun, cursor_of
from worker.http.resources.values import Comparable, is_comparable, is_ordered, is_text, kept
from worker.messaging.faults import escape
from worker.resources.operation import GetCollection
from worker.resources.resource import Resource
from worker.resources.stores import Filtered, How, Ordered, Page, Wanted

RESERVED = ("order", "limit", "next")
"""Parameters that every collection has."""
RANGES: Mapping[How, str] = {"gt": "above", "gte": "at least", "lt": "below", "lte": "at most"}
"""How fields are compared with a bound, and what that means."""

Query = tuple[tuple[str, str], ...]
"""Filters and order, names and values as they were asked."""


class Filter(NamedTuple):
    """A parameter that narrows a collection.

    Attributes:
        field: that is compared.
        how: it is compared.
        value: reads what it is compared with.
        about: what it asks for, for the documentation.
    """

    field: str
    how: How
    value: Comparable
    about: str


class CollectionQuery:
    """Reads what is asked of one collection.

    Args:
        resource: whose objects it holds.
        operation: resolved.

    Attributes:
        described: what may stand in the query string, for the documentation.
        fields: that filters are about, as they are written, by the filters' names.
    """

    def __init__(self, resource: Resource, operation: GetCollection) -> None:
        fields, struct = resource.shape.fields, resource.shape.struct
        self._filters = _filters(fields, operation)
        written = dict(zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True))
        self.fields = {name: written[one.field] for name, one in self._filters.items()}
        self._identifier = resource.identifier
        self._orders = operation.order or (resource.identifier,)
        self._values = {
            name: Comparable(fields[name]) for name in dict.fromkeys((*self._orders, resource.identifier))
        }
        self._size, self._most = operation.page_size, operation.max_page_size
        self._collection = f"{resource.name} {operation.name}"
        self.described = tuple(self._described())

    def read(self, given: Mapping[str, str], faults: list[Fault]) -> tuple[Wanted, Query]:
        """Return what is wanted, and the filters and order of it; what does not fit joins the faults."""
        query = tuple((name, given[name]) for name in (*self._filters, "order") if name in given)
        after: tuple[Any, ...] | None = None
        if "next" in given:
            try:
                query, after = self._continued(given["next"], query)
            except ValueError as error:
                faults.append(Fault("/next", str(error)))
        asked = dict(query)
        wanted = Wanted(
            conditions=tuple(self._conditions(asked, faults)),
            order=self._order(asked, faults),
            limit=self._limit(given.get("limit"), faults),
            after=after,
        )
        return wanted, query

    def next_of(self, query: Query, page: Page) -> str | None:
        """Return the cursor of the page that follows; None where none does.

        Raises:
            Problem: none can hold what the last object has.
        """
        if page.last is None:
            return None
        cursor = cursor_of(query, [kept(value) for value in page.last], self._collection)
        if len(cursor) > MAX_LENGTH:
            raise invalid([Fault("/order", _TOO_LONG)])
        return cursor

    def _continued(self, cursor: str, query: Query) -> tuple[Query, tuple[Any, ...]]:
        before = begun(cursor, self._collection)
        asked = dict(before.query)
        if query and dict(query) != asked:
            raise ValueError("belongs to other filters or another order; pass it with those, or alone")
        # it may be one of an earlier version, or made up: an unknown name would narrow nothing
        faults = [Fault("", name) for name in asked if name not in self._filters and name != "order"]
        order = self._order(asked, faults)
        [*self._conditions(asked, faults)]
        if faults or len(order) != len(before.after):
            raise ValueError(EXPECTED)
        values = [
            self._values[one.field].restored(data) for one, data in zip(order, before.after, strict=True)
        ]
        return before.query, tuple(values)

    def _conditions(self, asked: Mapping[str, str], faults: list[Fault]) -> Iterator[Filtered]:
        for name, one in self._filters.items():
            if name in asked:
                try:
                    yield Filtered(one.field, one.how, one.value.read(asked[name]))
                except ValueError as error:
                    faults.append(Fault(f"/{escape(name)}", str(error)))

    def _order(self, asked: Mapping[str, str], faults: list[Fault]) -> tuple[Ordered, ...]:
        found: dict[str, Ordered] = {}
        for text in asked["order"].split(",") if "order" in asked else ():
            field = text.removeprefix("-")
            if field not in self._orders:
                known = ", ".join(self._orders)
                faults.append(Fault("/order", f"expected {known}, or one with a minus; several with commas"))
                break
            if field in found:
                faults.append(Fault("/order", f"names {field} twice; expected each field once"))
                break
            found[field] = Ordered(field, text.startswith("-"))
        found.setdefault(self._identifier, Ordered(self._identifier))
        return tuple(found.values())

    def _limit(self, text: str | None, faults: list[Fault]) -> int:
        if text is None:
            return self._size
        number = int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0
        if not 1 <= number <= self._most:
            faults.append(Fault("/limit", f"expected 1 to {self._most}"))
        return min(number, self._most) or self._size

    def _described(self) -> Iterator[Parameter]:
        for name, one in self._filters.items():
            yield Parameter(name, "query", one.value.schema, description=one.about)
        yield Parameter(
            "order",
            "query",
            {"type": "string", "pattern": _pattern(self._orders)},
            description=f"`{'`, `'.join(self._orders)}`; with a minus downwards, several with commas, each once.",
        )
        limits = {"type": "integer", "minimum": 1, "maximum": self._most, "default": self._size}
        yield Parameter("limit", "query", limits, description="Objects of a page, at most.")
        cursor = {"type": "string", "pattern": "^[A-Za-z0-9_-]{12,}$"}
        yield Parameter("next", "query", cursor, description="The `next` of the page before.")


def _pattern(names: Sequence[str]) -> str:
    """What an order looks like: names with or without a minus, none of them twice."""
    name = "|".join(re.escape(one) for one in names)
    if len(names) == 1:
        return f"^-?{name}$"
    return rf"^(?!(.*,)?-?({name})(,.*)?,-?\2(,|$))-?({name})(,-?({name}))*$"


def collection_faults(resource: Resource, operation: GetCollection) -> list[str]:
    """Find what cannot be meant in the declaration of a collection's query."""
    fields = resource.shape.fields
    named = {"filters": operation.filters, "order": operation.order}
    faults = [
        f"{option} names {name!r}; {resource.name} has {', '.join(fields)}"
        for option, names in named.items()
        for name in names
        if name not in fields
    ]
    for name, kind in operation.filters.items():
        hint = fields.get(name, str)
        if kind not in _FITS:
            faults.append(f"filters: {name!r} is {kind!r}; expected {', '.join(map(repr, _FITS))}")
        elif not _FITS[kind](hint):
            faults.append(f"filters: {name!r} cannot be {kind!r}, for its type is {_named(hint)}")
    faults += [
        f"order: objects have no order by {name!r}, for its type is {_named(fields[name])}"
        for name in operation.order
        if name in fields and not is_comparable(fields[name])
    ]
    taken = {*RESERVED, *operation.parameters}
    faults += [f"{name!r} is two parameters" for name in _filters(fields, operation) if name in taken]
    faults += [f"{name!r} is two parameters" for name in operation.parameters if name in RESERVED]
    if not 1 <= operation.page_size <= operation.max_page_size:
        faults.append(
            f"page_size is {operation.page_size}; expected 1 to max_page_size, which is {operation.max_page_size}"
        )
    return faults


def _filters(fields: Mapping[str, Any], operation: GetCollection) -> dict[str, Filter]:
    found: dict[str, Filter] = {}
    for field, kind in operation.filters.items():
        if field not in fields:
            continue
        value = Comparable(fields[field])
        if kind == "range":
            found |= {
                f"{field}[{how}]": Filter(field, how, value, f"`{field}` is {meaning} this.")
                for how, meaning in RANGES.items()
            }
        elif kind == "partial":
            found[field] = Filter(field, "contains", value, f"`{field}` contains this, whatever the case.")
        else:
            found[field] = Filter(field, "eq", value, f"`{field}` is this.")
    return found


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)


_FITS = {"exact": is_comparable, "partial": is_text, "range": is_ordered}
_DIGITS = 10
_TOO_LONG = (
    "the last object of this page holds too long a text to go on behind it; ask for another order or limit"
)
