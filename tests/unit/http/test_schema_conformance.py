"""Requests generated from the OpenAPI document: every answer is one that the document describes."""

from functools import cache

import pytest
from hypothesis import assume

from tests.deep import size
from tests.unit.http.fakes import World
from worker.http.endpoints import ENDPOINTS
from worker.http.openapi.document import openapi

pytestmark = pytest.mark.slow

BEYOND = {"/commands", "/failed", "/failed/retry", "/tokens"}
"""Paths where more is asked than a schema can say: the lines of a text, one time before another, limits that can be read."""
LABELS = [
    f"{method.upper()} {path}"
    for path, item in openapi(ENDPOINTS, World().registry)["paths"].items()
    for method in item
    if method != "parameters" and path != "/openapi.json"
]
"""Of all operations but the one that gives the document itself, which the generator leaves out."""


def from_this_machine(world):
    """The generator's client has no address of its own, and takes one key for many bodies."""

    async def local(scope, receive, send):
        if scope["type"] == "http":
            scope = {**scope, "client": ("127.0.0.1", 5000)}
            world.idempotency.rows.clear()
        await world.app(scope, receive, send)

    return local


@cache
def operations():
    """Each operation of the document that is served."""
    from tests import generated

    world = World(hosts=("testserver",), max_wait=0.0)
    world.status.put(world.failed.id, "done")
    found = [result.ok() for result in generated.of(from_this_machine(world)).get_all_operations()]
    return {operation.label: operation for operation in found}


def test_every_operation_is_asked():
    assert sorted(operations()) == sorted(LABELS)


@pytest.mark.parametrize("label", LABELS)
def test_every_answer_is_described(label):
    """Whatever is sent, the answer's status, type, headers and body are in the document, and it is no 500.

    What fits its schemas is taken, and what does not, where there is any, is refused.
    """
    from tests.generated import CHECKS, UNSURE, ask, modes

    operation = operations()[label]

    def validate(case):
        # that would be another operation's path
        assume(case.path_parameters.get("id") not in {"groups", "retry"})
        case.call_and_validate(checks=UNSURE if operation.path in BEYOND else CHECKS)

    for mode in modes(operation):
        ask(operation, mode, size(6, 50), validate)
