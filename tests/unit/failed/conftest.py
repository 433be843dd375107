"""A failure store, a broker that can misbehave, and the service between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from worker.application.app import App
from worker.errors import TransportUnavailable
from worker.failed.service import FailedService
from worker.messaging.context import Context
from worker.messaging.envelope import Envelope
from worker.messaging.failure import Attempt, Failure
from worker.messaging.serializer import Serializer
from worker.messaging.transport import ACCEPTED, Outcome, Outgoing
from worker.state.database import Database
from worker.state.failures import SqlFailures

AT = 1_800_000_000.0

app = App("shop")


@app.command(key="order_id", aliases=("PutOrder",))
class PlaceOrder(msgspec.Struct, frozen=True):
    order_id: str
    amount: int = 1


@app.handler
async def place(command: PlaceOrder, context: Context) -> None: ...


class Broker:
    """Takes what is published; can be down, and can refuse by id."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Outgoing]] = []
        self.outcomes: dict[str, Outcome] = {}
        self.down = False

    async def publish(self, transport: str, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        if self.down:
            raise TransportUnavailable("down")
        found = [self.outcomes.get(item.id, ACCEPTED) for item in batch]
        self.taken += [
            (transport, item) for item, outcome in zip(batch, found, strict=True) if outcome.accepted
        ]
        return found


class Recorder:
    def __init__(self) -> None:
        self.changes = []

    def record(self, change) -> None:
        self.changes.append(change)


@pytest.fixture
def registry():
    return app.registry()


@pytest.fixture
def serializer(registry):
    return Serializer(registry)


@pytest.fixture
async def store():
    database = Database("sqlite://", base=Path.cwd(), clock=lambda: AT)
    await database.connect(5.0)
    await database.setup()
    yield SqlFailures(database)
    await database.close()


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def service(store, broker, registry, serializer, recorder):
    return FailedService(
        store,
        broker.publish,
        registry,
        serializer,
        recorder,
        transports=["sqlite", "rabbitmq"],
        queues=["shop-place-order"],
        clock=lambda: AT,
    )


@pytest.fixture
def failure(serializer):
    """Makes failures of ``PlaceOrder``, or of any bytes."""

    def make(message_id="m1", *, at=AT, body=None, stamps=(), **facts) -> Failure:
        if body is None:
            envelope = Envelope(
                message=PlaceOrder(f"order-{message_id}"), type="PlaceOrder", id=message_id, source="shop",
                key=f"order-{message_id}", attempt=4, stamps=stamps,
            )  # fmt: skip
            body = serializer.encode(envelope)
        given = {
            "type": "PlaceOrder",
            "transport": "sqlite",
            "queue": "shop-place-order",
            "attempts": 4,
            "decoded": True,
        }
        history = (
            Attempt(
                attempt=4,
                at=at,
                worker="w1",
                handler="shop.place",
                error_type="ValueError",
                error_message="no",
                trace="t",
            ),
        )
        return Failure(id=message_id, failed_at=at, body=body, history=history, **(given | facts))

    return make
