"""``docker compose --profile kafka up``: the same service on Kafka, with one broker and with three."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.stack import HOW, Stack, missing
from tests.e2e.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

FILES = {
    "one": ["docker-compose.yml"],
    "three": ["docker-compose.yml", "docker-compose.kafka.yml"],
}


@pytest.fixture(params=list(FILES))
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The service, built from this folder, with its broker or brokers."""
    if missing():
        pytest.skip(HOW)
    stack = Stack(FILES[request.param], "kafka", TRANSPORT="kafka")
    try:
        stack.compose("build", timeout=600)
        stack.compose("up", "-d")
        stack.until_healthy(300)
        yield stack
    finally:
        stack.close()


def test_what_is_posted_is_handled_over_kafka(stack: Stack) -> None:
    """``worker consume kafka`` runs in the containers: commands are handled, once each, and nothing is left waiting."""
    assert stack.client.get("/health").json()["status"] == {"database": True, "transport.kafka": True}
    # three brokers that have just been started on a busy machine need a while for their first message
    until(lambda: stack.post(0).status_code == 202, "the first message is confirmed", 120, 0.5)
    stack.create_indexes()
    stack.until_handled(stack.accepted(range(1, 20)))
    (shown,) = (
        one
        for one in stack.in_worker("worker", "status", "--json")["consumers"]
        if one["type"] == "IndexItems"
    )
    assert (shown["transport"], shown["in_flight"] or 0) == ("kafka", 0)
