"""The query string of an operation: what may stand in it, and what is read out of it."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from worker.errors import Fault
from worker.http.endpoint import Parameter
from worker.http.resources.collection import CollectionQuery
from worker.http.resources.values import schema_of
from worker.messaging.faults import collect, escape, unknown_member
from worker.messaging.schema import TextField, text_fields
from worker.resources.operation import GetCollection, Operation
from worker.resources.resource import Resource
from worker.resources.stores import Page, Wanted

Given = Mapping[str, Sequence[str]]
"""The values of each parameter of a query string."""


class Asked(msgspec.Struct):
    """What a query string asks for.

    Attributes:
        parameters: the declared ones that were given, by name.
        wanted: of a collection; None of anything else. What has faults is left out of it.
        query: filters and order of the collection, names and values as they were asked.
        said: everything that was asked, in the order in which it stood there.
        faults: what does not fit; whether that matters is said by the operation's ``query_parameter_validate``.
    """

    parameters: dict[str, Any]
    wanted: Wanted | None
    query: tuple[tuple[str, str], ...]
    faults: list[Fault]
    said: tuple[tuple[str, str], ...] = ()


class Parameters:
    """Reads the query strings of one operation.

    Args:
        resource: that the operation is of.
        operation: resolved.

    Attributes:
        described: what may stand in the query string, for the documentation.
        fields: of a collection: what its filters are about, as it is written, by the filters' names.
    """

    def __init__(self, resource: Resource, operation: Operation) -> None:
        self._declared = {name: _Declared(name, hint) for name, hint in operation.parameters.items()}
        self._collection = (
            CollectionQuery(resource, operation) if isinstance(operation, GetCollection) else None
        )
        self.described: tuple[Parameter, ...] = tuple(one.described for one in self._declared.values())
        if self._collection is not None:
            self.described += self._collection.described
        self.fields: Mapping[str, str] = {} if self._collection is None else self._collection.fields
        self._known = frozenset(one.name for one in self.described)

    def read(self, given: Given) -> Asked:
        """Read a query string; whatever does not fit is a fault and otherwise passed over."""
        faults = [
            Fault(f"/{escape(name)}", unknown_member(name, self._known))
            for name in given
            if name not in self._known
        ]
        parameters: dict[str, Any] = {}
        for name, declared in self._declared.items():
            if name in given:
                declared.into(parameters, given[name], faults)
            elif declared.required:
                faults.append(Fault(f"/{escape(name)}", "is missing"))
        said = tuple((name, value) for name, values in given.items() for value in values)
        if self._collection is None:
            return Asked(parameters, None, (), faults, said)
        single = {name: values[0] for name, values in self._once(given, faults)}
        wanted, query = self._collection.read(single, faults)
        return Asked(parameters, wanted, query, faults, said)

    def next_of(self, asked: Asked, page: Page) -> str | None:
        """Return the cursor of the page that follows; None where none does."""
        return None if self._collection is None else self._collection.next_of(asked.query, page)

    def _once(self, given: Given, faults: list[Fault]) -> Iterator[tuple[str, Sequence[str]]]:
        for name, values in given.items():
            if name in self._known and name not in self._declared:
                if len(values) > 1:
                    faults.append(Fault(f"/{escape(name)}", f"is given {len(values)} times, expected once"))
                yield name, values


class _Declared:
    """A parameter that the operation declares."""

    def __init__(self, name: str, hint: Any) -> None:
        self.required = typing.get_origin(hint) is typing.Required
        self._hint = typing.get_args(hint)[0] if self.required else hint
        self._name = name
        self._field = _text_field(self._hint)
        self.described = Parameter(
            name,
            "query",
            schema_of(self._hint),
            required=self.required,
            written="json" if self._field.nested and self._field.shape == "value" else "form",
        )

    def into(self, parameters: dict[str, Any], values: Sequence[str], faults: list[Fault]) -> None:
        """Add the value to the others, or what is wrong with it to the faults."""
        base = f"/{escape(self._name)}"
        try:
            data = self._field.read(values)
        except ValueError as error:
            faults.append(Fault(base, str(error)))
            return
        try:
            parameters[self._name] = msgspec.convert(data, self._hint, strict=False, str_keys=True)
        except (ValueError, RecursionError) as error:
            found = collect(self._hint, data, error, strict=False)
            faults.extend(Fault(base + fault.pointer, fault.message) for fault in found)


def _text_field(hint: Any) -> TextField:
    struct: Callable[..., Any] = msgspec.defstruct
    return text_fields(struct("Parameter", [("value", hint)]))[0]
