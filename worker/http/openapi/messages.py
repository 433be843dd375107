"""The endpoints that take messages, once for each declared type: with its name, its fields, its errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgspec

from worker.errors import WorkerError
from worker.http.commands import QUEUED_ONLY
from worker.http.endpoint import Body, Endpoint, Parameter
from worker.http.media import JSON, MSGPACK
from worker.http.openapi.samples import sample
from worker.http.openapi.schemas import Schemas
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.schema import text_fields
from worker.messaging.validation import decode


def for_each_type(
    endpoint: Endpoint, registry: Registry, schemas: Schemas, inline: Callable[[MessageType], bool]
) -> Iterator[Endpoint]:
    """Yield the endpoint of each type that it takes; the endpoint itself where it takes no messages."""
    if endpoint.each is None:
        yield endpoint
        return
    for message in registry.of_kind(endpoint.each):
        if not message.posted:
            continue
        described = _of_type(endpoint, message, schemas)
        if endpoint.each == "command":
            described = _handled_at_once(described) if inline(message) else _queued(described)
        if endpoint.each == "query" or inline(message):
            described = replace(described, problems=(*described.problems, *message.errors.values()))
        yield described


def _of_type(endpoint: Endpoint, message: MessageType, schemas: Schemas) -> Endpoint:
    text = inspect.getdoc(message.cls) or ""
    # a class without a docstring of its own shows its base's
    own = text if message.cls.__dict__.get("__doc__") else ""
    verb = "Send" if endpoint.each == "command" else "Ask"
    described = replace(
        endpoint,
        path=endpoint.path.replace("{type}", message.name),
        id=f"{endpoint.id}_{message.name}",
        summary=own.partition("\n")[0] or f"{verb} {message.name}",
        description=own,
    )
    if endpoint.method == "GET":
        return replace(described, parameters=(*endpoint.parameters, *_fields(message, schemas)))
    return replace(described, body=_body(message, schemas))


def _queued(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, gives={202: endpoint.gives[202]})


def _handled_at_once(endpoint: Endpoint) -> Endpoint:
    kept = tuple(one for one in endpoint.parameters if one not in QUEUED_ONLY)
    return replace(endpoint, gives={201: endpoint.gives[201]}, parameters=kept)


def _body(message: MessageType, schemas: Schemas) -> Body:
    example: Any = sample(schemas.of(message.read_as), schemas.components)
    try:
        decode(message, msgspec.json.encode(example))
    except (WorkerError, TypeError, ValueError):
        # no example is better than one that is refused
        return Body(message.read_as, media=(JSON, MSGPACK))
    return Body(message.read_as, media=(JSON, MSGPACK), example=lambda _: example)


def _fields(message: MessageType, schemas: Schemas) -> Iterator[Parameter]:
    schema = schemas.of(message.read_as)
    resolved = schemas.components.get(schema.get("$ref", "").rpartition("/")[2], schema)
    properties = resolved.get("properties", {})
    for field in text_fields(message.read_as):
        yield Parameter(
            field.name,
            "query",
            properties.get(field.name, {}),
            required=field.required,
            written="json" if field.nested and field.shape == "value" else "form",
        )
