"""``docker compose --profile NAME up``: the same service on Kafka, with one broker and with three, on SQS and on Pub/Sub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.stack import HOW, Stack, missing
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

ONE = ("docker-compose.yml",)
PLACES = {
    "kafka": ("kafka", ONE),
    "three brokers": ("kafka", (*ONE, "docker-compose.kafka.yml")),
    "sqs": ("sqs", ONE),
    "pubsub": ("pubsub", ONE),
}
"""Profile and files by what is shown."""


@pytest.fixture(params=PLACES.values(), ids=list(PLACES))
def place(request: pytest.FixtureRequest) -> Iterator[tuple[str, Stack]]:
    """A transport's name, and the service, built from this folder, on it."""
    if missing():
        pytest.skip(HOW)
    transport, files = request.param
    stack = Stack(files, transport, TRANSPORT=transport)
    try:
        stack.compose("build", timeout=600)
        stack.compose("up", "-d")
        stack.until_healthy(300)
        stack.sign_in()
        yield transport, stack
    finally:
        stack.close()


def test_what_is_posted_is_handled_there(place: tuple[str, Stack]) -> None:
    """``worker consume TRANSPORT`` runs in the containers: commands are handled, once each, and nothing is left waiting."""
    transport, stack = place
    assert stack.client.get("/health").json()["status"] == {
        "database": True,
        f"transport.{transport}": True,
        "catalog": True,
    }
    # brokers that have just been started on a busy machine need a while for their first message
    until(lambda: stack.post(0).status_code == 202, "the first message is confirmed", 120, 0.5)
    stack.create_indexes()
    stack.until_handled(stack.accepted(range(1, 20)))
    (shown,) = (
        one
        for one in stack.in_worker("worker", "status", "--json")["consumers"]
        if one["type"] == "IndexItems"
    )
    assert (shown["transport"], shown["in_flight"] or 0) == (transport, 0)
