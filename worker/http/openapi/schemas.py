"""The JSON Schemas of one document: each class once, by name, wherever an endpoint takes or gives it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from worker.http import documents
from worker.http.endpoint import Endpoint, Shape
from worker.messaging.declaration import MessageType
from worker.messaging.message_schema import message_schemas

_TEMPLATE = "#/components/schemas/{name}"


class Schemas:
    """Schemas of the declared messages, and of all that the endpoints name.

    Attributes:
        components: the named ones, to which all others point.
    """

    def __init__(self, messages: Sequence[MessageType], endpoints: Iterable[Endpoint]) -> None:
        described = tuple(endpoints)
        classes = list(dict.fromkeys((documents.Problem, *_named(described))))
        closed = [
            MessageType(name=cls.__name__, cls=cls, kind="command")
            for cls in dict.fromkeys(cls for endpoint in described for cls in endpoint.closed)
        ]
        strict = [*messages, *closed]
        others = [cls for cls in classes if not any(cls is one.read_as for one in closed)]
        found, self.components = message_schemas(strict, _TEMPLATE, others)
        self._found = dict(zip([*(one.read_as for one in strict), *others], found, strict=True))

    def of(self, shape: Shape) -> Any:
        """Return the JSON Schema of a shape."""
        if isinstance(shape, type):
            return self._found[shape]
        if isinstance(shape, Mapping):
            return {key: self.of(value) for key, value in shape.items()}
        return [self.of(item) for item in shape] if isinstance(shape, list) else shape


def _named(endpoints: Iterable[Endpoint]) -> Iterator[type[Any]]:
    for endpoint in endpoints:
        yield from endpoint.mentions
        yield from _classes([endpoint.body.shape if endpoint.body else None])
        for given in endpoint.gives.values():
            yield from _classes([given.shape, *given.others.values()])


def _classes(shape: Shape) -> Iterator[type[Any]]:
    if isinstance(shape, type):
        yield shape
    elif isinstance(shape, Mapping):
        yield from _classes(list(shape.values()))
    elif isinstance(shape, list):
        for item in shape:
            yield from _classes(item)
