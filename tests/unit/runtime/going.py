"""One command, and what is left of it: what settlement and leases are tried on."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.unit.runtime.house import House
from worker import App, Retry
from worker.messaging.envelope import Envelope
from worker.messaging.failure import Filter, StoredFailure


class Go(msgspec.Struct, frozen=True):
    number: int = 0


def shop(*handlers: Any, **options: Any) -> App:
    """An application of these handlers."""
    app = App("shop")
    app.command(many_handlers=True, **{"retry": Retry(2, 1.0, 2.0, jitter=0), **options})(Go)
    for handler in handlers:
        app.handler(handler)
    return app


async def fails(command: Go) -> None:
    """Always."""
    raise OSError("broken")


async def stored(it: House) -> list[StoredFailure]:
    """What is in the failure store."""
    rows, _ = await it.service.state.failures.page(Filter(), 100)
    return rows


async def read(it: House) -> Envelope[Any]:
    """The only message that waits now."""
    (delivery,) = await it.waiting("shop-go")
    envelope = it.service.sending.serializer.decode(delivery.body)
    assert isinstance(envelope, Envelope)
    return envelope
