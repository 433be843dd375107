"""The OpenAPI 3.1 document, made of the endpoints and the declared messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from worker.http.endpoint import Endpoint
from worker.http.openapi.messages import for_each_type
from worker.http.openapi.parts import SCHEME, Json, entry, problem_answers, whole
from worker.http.openapi.schemas import Schemas
from worker.messaging.declaration import MessageType, Registry

_ABOUT = (
    "Commands are taken and handled later, queries are answered at once; resources are read and changed by their paths. "
    "Every error is an `application/problem+json` document whose `type` is stable."
)


def openapi(
    endpoints: Sequence[Endpoint],
    registry: Registry,
    *,
    inline: Callable[[MessageType], bool] = lambda declared: False,
    title: str = "",
    version: str = "1",
) -> Json:
    """Describe everything that can be called.

    Args:
        endpoints: to describe; one that takes messages is described once for each type.
        registry: the declared types.
        inline: whether a command is handled before the answer.
        title: of the API; the application's name when empty.
        version: of the application.
    """
    commands = [command for command in registry.of_kind("command") if command.posted]
    messages = [*commands, *registry.of_kind("query")]
    schemas = Schemas(messages, endpoints)
    example = commands[0].name if commands else "Name"
    paths: Json = {}
    for endpoint in endpoints:
        for described in for_each_type(endpoint, registry, schemas, inline):
            item = paths.setdefault(described.template, {})
            if in_path := [whole(one) for one in described.parameters if one.place == "path"]:
                item["parameters"] = in_path
            item[described.method.lower()] = entry(described, schemas, example)
    return {
        "openapi": "3.1.0",
        "info": {"title": title or registry.application, "version": version, "description": _ABOUT},
        "paths": paths,
        "components": {
            "securitySchemes": {SCHEME: {"type": "http", "scheme": "bearer"}},
            "schemas": dict(schemas.components),
            "parameters": {
                one.shared: whole(one)
                for endpoint in endpoints
                for one in endpoint.parameters
                if one.shared is not None
            },
            "responses": problem_answers(
                schemas,
                (
                    *(status for message in messages for status in message.errors.values()),
                    *(status for endpoint in endpoints for status in endpoint.problems),
                ),
            ),
        },
    }
