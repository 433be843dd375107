"""The OpenAPI 3.1 document, made from the registry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from worker.errors import WorkerError
from worker.http.media import JSON, MSGPACK
from worker.http.operations import PARAMETERS, Json, answer, header, problem_responses, problems, shared
from worker.http.samples import sample
from worker.http.service_schema import service_paths
from worker.http.shapes import SHAPES
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.message_schema import message_schemas
from worker.messaging.schema import text_fields
from worker.messaging.validation import decode

TEMPLATE = "#/components/schemas/{name}"


def openapi(
    registry: Registry,
    *,
    inline: Callable[[MessageType], bool] = lambda declared: False,
    title: str = "",
    version: str = "1",
) -> Json:
    """Describe everything that can be called.

    Args:
        registry: the declared types.
        inline: whether a command is handled before the answer.
        title: of the API; the application's name when empty.
        version: of the application.
    """
    commands, queries = registry.of_kind("command"), registry.of_kind("query")
    declared = [*commands, *queries]
    found, components = message_schemas(declared, TEMPLATE, SHAPES)
    by_name = dict(zip((message.name for message in declared), found, strict=False))
    own = dict(zip((shape.__name__ for shape in SHAPES), found[len(declared) :], strict=True))
    paths: Json = {}
    for message in commands:
        paths[f"/commands/{message.name}"] = {
            "post": _command(message, by_name[message.name], components, own, inline(message))
        }
    for message in queries:
        paths[f"/queries/{message.name}"] = _query(message, by_name[message.name], components)
    paths.update(service_paths(own, commands[0].name if commands else "Name"))
    declared_statuses = {status for message in declared for status in message.errors.values()}
    return {
        "openapi": "3.1.0",
        "info": {"title": title or registry.application, "version": version, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": dict(components),
            "parameters": PARAMETERS,
            "responses": problem_responses(own["Problem"], sorted(declared_statuses)),
        },
    }


_ABOUT = (
    "Commands are taken and handled later, queries are answered at once. Every error is an "
    "`application/problem+json` document whose `type` is stable."
)


def _command(
    message: MessageType, schema: Json, components: Mapping[str, Any], own: Json, inline: bool
) -> Json:
    headers = {"X-Correlation-Id": header("The correlation id that the message has.")}
    if not inline:
        headers["Location"] = header("Where its status is.")
        headers["Preference-Applied"] = header("What was heeded of `Prefer`.")
    taken = answer(
        "Handled."
        if inline
        else "Taken: it is stored and will be handled. With `Prefer: wait=N` where it stands then.",
        own["Accepted"] if inline else {"anyOf": [own["Accepted"], own["CommandStatus"]]},
        headers=headers,
    )
    statuses = [400, 409, 413, 415, 422, 503, *(message.errors.values() if inline else ())]
    return {
        **_about(message, "commands", "command"),
        "parameters": shared(
            *(() if inline else ("Delay", "Prefer")), "Key", "IdempotencyKey", "CorrelationId", "Traceparent"
        ),
        "requestBody": _body(message, schema, components),
        "responses": {"201" if inline else "202": taken, **problems(*statuses)},
    }


def _query(message: MessageType, schema: Json, components: Mapping[str, Any]) -> Json:
    result = answer(
        "What the handler returned.", {}, headers={"X-Correlation-Id": header("Its correlation id.")}
    )
    common = {"parameters": shared("CorrelationId", "Traceparent")}
    statuses = [400, 422, 503, *message.errors.values()]
    get = {
        **_about(message, "queries", "query", "get"),
        "parameters": [*common["parameters"], *_query_parameters(message, schema, components)],
        "responses": {"200": result, **problems(*statuses)},
    }
    post = {
        **_about(message, "queries", "query"),
        **common,
        "requestBody": _body(message, schema, components),
        "responses": {"200": result, **problems(*statuses, 413, 415)},
    }
    return {"get": get, "post": post}


def _about(message: MessageType, tag: str, kind: str, method: str = "post") -> Json:
    text = inspect.getdoc(message.cls) or ""
    # a class without a docstring of its own shows its base's
    own = text if message.cls.__dict__.get("__doc__") else ""
    summary = own.partition("\n")[0] or f"{'Send' if kind == 'command' else 'Ask'} {message.name}"
    return {
        "operationId": f"{method}_{kind}_{message.name}",
        "summary": summary,
        "description": own,
        "tags": [tag],
    }


def _body(message: MessageType, schema: Json, components: Mapping[str, Any]) -> Json:
    described: Json = {"schema": schema}
    example = sample(schema, components)
    try:
        decode(message, msgspec.json.encode(example))
    except (WorkerError, TypeError, ValueError):
        pass  # no example is better than one that is refused
    else:
        described["example"] = example
    return {"required": True, "content": {JSON: described, MSGPACK: {"schema": schema}}}


def _query_parameters(message: MessageType, schema: Json, components: Mapping[str, Any]) -> list[Json]:
    resolved = components.get(schema.get("$ref", "").rpartition("/")[2], schema)
    properties = resolved.get("properties", {})
    parameters = []
    for field in text_fields(message.cls):
        of_field = properties.get(field.name, {})
        parameter: Json = {"name": field.name, "in": "query", "required": field.required}
        if field.nested and field.shape == "value":
            parameter["content"] = {JSON: {"schema": of_field}}
        else:
            parameter |= {"schema": of_field, "style": "form", "explode": True}
        parameters.append(parameter)
    return parameters
