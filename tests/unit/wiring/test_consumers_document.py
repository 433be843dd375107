"""The consumers document: what waits, and what keeps a worker from taking it."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.unit.runtime.house import house, until
from worker import App, TransportUnavailable
from worker.messaging.transport import Outgoing
from worker.wiring.consumers_document import consumers_document


class Go(msgspec.Struct, frozen=True):
    number: int = 0


def shop() -> App:
    app = App("shop")
    app.command(Go)

    @app.handler
    async def on_go(command: Go) -> None: ...

    return app


async def test_a_worker_says_what_keeps_it() -> None:
    """A queue that a worker cannot consume stands in the fleet's document, with the reason."""
    async with house(shop()) as it:

        async def down(spec: Any, *, slots: int) -> Any:
            raise TransportUnavailable("amqp://localhost does not answer")

        it.broker.subscribe = down
        task = it.start()
        worker = it.worker
        assert worker is not None
        await until(worker.troubles)
        await it.service.fleet.beat(("Go",), 0, worker.troubles())
        (seen,) = (await consumers_document(it.service))["workers"]
        assert seen["troubles"] == ["queue shop-go: amqp://localhost does not answer"]
        worker.stop()
        await task


async def test_what_waits_in_the_schedule_is_delayed_too() -> None:
    """A delay that the broker cannot keep is counted with those that it keeps."""
    async with house(shop()) as it:
        await it.send(Go(1))
        late = Outgoing(queue="shop-go", id="1", type="Go", body=b"{}", delay=100.0)
        await it.service.sending.outbox.park("memory", [late], 10.0)
        (item,) = (await consumers_document(it.service))["consumers"]
        assert (item["ready"], item["delayed"]) == (1, 1)
