"""Requests generated from the OpenAPI document: every answer is one that the document describes."""

import pytest
import schemathesis
from hypothesis import assume

from tests.deep import size
from tests.generated import CHECKS, UNSURE, ask, modes
from tests.unit.http.fakes import World

pytestmark = pytest.mark.slow

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


def operations():
    """Each operation of the document, once for data that fits its schemas and once for data that does not."""
    world = World(hosts=("testserver",), max_wait=0.0)
    world.status.put(world.failed.id, "done")
    schema = schemathesis.openapi.from_asgi("/openapi.json", from_this_machine(world))
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in modes(operation):
            yield pytest.param(operation, mode, id=f"{operation.label} {mode.value}")


@pytest.mark.parametrize(("operation", "mode"), list(operations()))
def test_every_answer_is_described(operation, mode):
    """Whatever is sent, the answer's status, type, headers and body are in the document, and it is no 500.

    What fits is taken, and what does not is refused.
    """

    def validate(case):
        # that would be another operation's path
        assume(case.path_parameters.get("id") not in {"groups", "retry"})
        case.call_and_validate(checks=UNSURE if operation.path in BEYOND else CHECKS)

    ask(operation, mode, size(6, 50), validate)
