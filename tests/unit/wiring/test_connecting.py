"""Connecting at start: what is told of a broker that does not let anybody in."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any, cast

import pytest

from worker.errors import TransportUnavailable
from worker.messaging.transport import Transport
from worker.wiring.connecting import connected_ones


class Refusing:
    """Says why at the first tries, and takes its time at the next."""

    name = "rabbitmq"

    def __init__(self, tries: int) -> None:
        self.tries = tries

    async def connect(self) -> None:
        self.tries -= 1
        if self.tries < 0:
            await asyncio.Event().wait()
        raise TransportUnavailable("RabbitMQ refuses us (user 'guest')")


async def connect(transport: Any) -> None:
    async with AsyncExitStack() as stack:
        await connected_ones({"rabbitmq": cast("Transport", transport)}, stack, 0.4, absent=False)


async def test_a_try_that_runs_out_of_time_hides_no_reason() -> None:
    """What the broker has said before is told, not that the last try was not over in time."""
    with pytest.raises(
        TransportUnavailable, match=r"^transport rabbitmq: RabbitMQ refuses us \(user 'guest'\)$"
    ):
        await connect(Refusing(1))


async def test_a_broker_that_has_never_said_anything_is_silent() -> None:
    """Then the time is told."""
    with pytest.raises(TransportUnavailable, match=r"^transport rabbitmq: no answer within 0\.4 s$"):
        await connect(Refusing(0))
