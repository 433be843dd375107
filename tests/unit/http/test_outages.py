"""Answers of an outage: honest, and without hosts, users and paths."""

from __future__ import annotations

import msgspec
import pytest
from structlog.testing import capture_logs

from worker.errors import DatabaseUnavailable, PublishFailed, TransportUnavailable
from worker.messaging.sender import Sender, failure
from worker.messaging.transport import Features, Outcome, OutcomeKind, Outgoing

ORDER = {"order_id": "1", "lines": []}
SECRETS = ("amqp", "internal", "shop:", "/srv/data", "5672")
OUTGOING = Outgoing(queue="shop-go", id="1", type="Go", body=b"")
UNKNOWN = failure(
    "rabbitmq", OUTGOING, Outcome(OutcomeKind.UNKNOWN, "amqp://shop:x@mq.internal:5672 went away")
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DatabaseUnavailable("database sqlite:////srv/data/worker.db: locked"), "database"),
        (TransportUnavailable("cannot reach amqp://shop:***@mq.internal:5672/"), "transport"),
        (PublishFailed("to amqp://mq.internal:5672/ failed", unknown=True), "may have been taken"),
        (UNKNOWN, "rabbitmq"),
    ],
)
@pytest.mark.parametrize("call", ["command", "batch", "query", "pause"])
async def test_no_answer_shows_an_address_and_the_log_has_the_reason(client, world, error, said, call):
    """The transport's name at most."""
    world.commands.fails = world.queries.fails = error
    with capture_logs() as logs:
        if call == "command":
            response = await client.post("/commands/PlaceOrder", json=ORDER)
        elif call == "batch":
            line = msgspec.json.encode({"type": "PlaceOrder", "data": ORDER})
            response = await client.post(
                "/commands", content=line, headers={"Content-Type": "application/x-ndjson"}
            )
        elif call == "query":
            response = await client.get("/queries/Search?text=a")
        else:
            response = await client.post("/consumers/pause")
    assert said in response.text
    assert not [secret for secret in SECRETS if secret in response.text]
    assert str(error) in [entry.get("error") for entry in logs]


class Gone:
    """A transport whose broker is away."""

    name = "rabbitmq"
    features = Features(ordering="none", lease=False)

    async def publish(self, batch):
        raise TransportUnavailable("cannot reach amqp://shop:***@mq.internal:5672/")


async def test_an_outage_of_a_transport_carries_its_name():
    """The sender knows whose it is."""
    with pytest.raises(TransportUnavailable) as caught:
        await Sender(Gone()).send(OUTGOING)
    assert caught.value.told == "transport 'rabbitmq' does not answer"
