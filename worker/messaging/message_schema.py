"""JSON Schema of declared messages, as the intake takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from worker.messaging.declaration import MessageType
from worker.messaging.schema import Components, schemas


def message_schemas(
    messages: Sequence[MessageType], template: str, others: Sequence[Any] = ()
) -> tuple[list[Any], Components]:
    """Return the schema of each message, then of each other class, and the named ones that they point to.

    Objects of messages that refuse unknown members say so, unless something that does not holds them as well.
    """
    found, components = schemas([*(message.read_as for message in messages), *others], template)
    strict, lax = set[str](), set[str]()
    for index, schema in enumerate(found):
        strict_one = index < len(messages) and messages[index].extra == "forbid"
        _reach(schema, components, strict if strict_one else lax)
    named = {name: _closed(schema) if name in strict - lax else schema for name, schema in components.items()}
    return found, named


def _closed(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "properties" in schema:
        return {"additionalProperties": False, **schema}
    return {"items": False, **schema} if "prefixItems" in schema else schema


def _reach(schema: Any, components: Components, reached: set[str]) -> None:
    for name in _references(schema):
        if name not in reached and name in components:
            reached.add(name)
            _reach(components[name], components, reached)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            elif key not in {"const", "default", "enum", "examples"}:
                yield from _references(value)
    elif isinstance(schema, list | tuple):
        for item in schema:
            yield from _references(item)
