"""Requests generated from an OpenAPI document, and what must hold of every answer.

Tests import it where they need it: it takes a second, which only the processes of a run that use it are to spend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import schemathesis
from hypothesis import HealthCheck, given, reject, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
    positive_data_acceptance,
    negative_data_rejection,
]
UNSURE = [check for check in CHECKS if check is not positive_data_acceptance]
"""Where more is asked than a schema can say: what fits it may be refused all the same."""


@schemathesis.serializer("application/msgpack")
def msgpack(context: Any, value: Any) -> bytes:
    """What MessagePack cannot hold is not sent."""
    try:
        return msgspec.msgpack.encode(value)
    except OverflowError:
        reject()


@schemathesis.serializer("application/ld+json", "application/merge-patch+json")
def json(context: Any, value: Any) -> bytes:
    return msgspec.json.encode(value)


@schemathesis.serializer("application/x-ndjson")
def ndjson(context: Any, value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)


@schemathesis.deserializer("application/msgpack")
def read_msgpack(context: Any, response: Any) -> Any:
    return msgspec.msgpack.decode(response.content)


@schemathesis.deserializer("application/x-ndjson", "text/html")
def read_text(context: Any, response: Any) -> str:
    return response.content.decode()


def at(url: str) -> schemathesis.BaseSchema:
    """The document that is served there."""
    return schemathesis.openapi.from_url(url)


def of(app: Any) -> schemathesis.BaseSchema:
    """The document of an application in this process."""
    return schemathesis.openapi.from_asgi("/openapi.json", app)


ANY_TEXT = {"type", "title", "description", "examples"}
ANY_PATH = {*ANY_TEXT, "minLength", "not", "pattern"}
"""What a schema says where any text fits: in a path any that can stand there and leads to its operation."""
NO_NULL = "^[^\\x00]*$"
"""The one pattern that any text in a path fits: the generator puts no null character there."""


def modes(operation: Any) -> list[GenerationMode]:
    """Data that fits an operation's schemas, and data that does not, where there is any."""
    choosy = operation.body or not all(map(_takes_any, operation.iter_parameters()))
    return list(GenerationMode) if choosy else [GenerationMode.POSITIVE]


def _takes_any(parameter: Any) -> bool:
    """Whether nothing that can be sent is wrong; it would be looked for in vain, hundreds of times."""
    place, schema = parameter.definition["in"], parameter.definition["schema"]
    if schema.get("type") != "string":
        return False
    if place == "path":
        return schema.keys() <= ANY_PATH and schema.get("pattern", NO_NULL) == NO_NULL
    return place == "header" and not parameter.definition.get("required") and schema.keys() <= ANY_TEXT


def ask(operation: Any, mode: GenerationMode, examples: int, validate: Callable[[Any], None]) -> None:
    """Validate so many generated requests; that there are none is an error."""

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: Any) -> None:
        validate(case)

    # the library's own pytest plugin needs private parts of pytest; plain hypothesis does the same
    asked()
