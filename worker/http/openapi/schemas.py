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
        classes = list(dict.fromkeys((documents.Problem, *_named(endpoints))))
        found, self.components = message_schemas(messages, _TEMPLATE, classes)
        self._found = dict(zip([*(message.cls for message in messages), *classes], found, strict=True))

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
        yield from _classes([given.shape for given in endpoint.gives.values()])


def _classes(shape: Shape) -> Iterator[type[Any]]:
    if isinstance(shape, type):
        yield shape
    elif isinstance(shape, Mapping):
        yield from _classes(list(shape.values()))
    elif isinstance(shape, list):
        for item in shape:
            yield from _classes(item)
