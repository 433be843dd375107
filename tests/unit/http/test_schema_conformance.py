"""Requests generated from the OpenAPI document: every answer is one that the document describes."""

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis.errors import Unsatisfiable
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

from tests.deep import size
from tests.unit.http.fakes import World

pytestmark = pytest.mark.slow

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


BEYOND = {"/commands", "/failed", "/failed/retry", "/tokens"}
"""Paths where more is asked than a schema can say: the lines of a text, one time before another, limits that can be read."""


def from_this_machine(world):
    """The generator's client has no address of its own, and takes one key for many bodies."""

    async def local(scope, receive, send):
        if scope["type"] == "http":
            scope = {**scope, "client": ("127.0.0.1", 5000)}
            world.idempotency.rows.clear()
        await world.app(scope, receive, send)

    return local


@schemathesis.serializer("application/msgpack")
def msgpack(context, value):
    try:
        return msgspec.msgpack.encode(value)
    except OverflowError:
        reject()


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)


@schemathesis.deserializer("application/msgpack")
def read_msgpack(context, response):
    return msgspec.msgpack.decode(response.content)


@schemathesis.deserializer("application/x-ndjson", "text/html")
def read_text(context, response):
    return response.content.decode()


def operations():
    """Each operation of the document, once for data that fits its schemas and once for data that does not."""
    world = World(hosts=("testserver",), max_wait=0.0)
    world.status.put(world.failed.id, "done")
    schema = schemathesis.openapi.from_asgi("/openapi.json", from_this_machine(world))
    for result in schema.get_all_operations():
        operation = result.ok()
        takes_something = operation.body or list(operation.iter_parameters())
        for mode in GenerationMode if takes_something else [GenerationMode.POSITIVE]:
            yield pytest.param(operation, mode, id=f"{operation.label} {mode.value}")


# the library's own pytest plugin needs private parts of pytest; plain hypothesis does the same
@pytest.mark.parametrize(("operation", "mode"), list(operations()))
def test_every_answer_is_described(operation, mode):
    """Whatever is sent, the answer's status, type, headers and body are in the document, and it is no 500.

    What fits is taken, and what does not is refused.
    """

    checks = [
        check for check in CHECKS if operation.path not in BEYOND or check is not positive_data_acceptance
    ]

    @settings(
        max_examples=size(6, 50),
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        # that would be another operation's path
        assume(case.path_parameters.get("id") not in {"groups", "retry"})
        case.call_and_validate(checks=checks)

    try:
        run()
    except Unsatisfiable:
        # any text is an id: there is nothing that does not fit
        assert mode is GenerationMode.NEGATIVE
