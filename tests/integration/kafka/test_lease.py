"""The lease of a Kafka transport against the bounds of a real broker."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.kafka.work import QUEUE, Connect
from transports.kafka.session_bounds import SessionBounds
from worker.errors import ConfigurationError, TransportUnavailable

pytestmark = [pytest.mark.broker]


@pytest.mark.parametrize(("lease", "bound"), [(3, "group.min.session"), (3600, "group.max.session")])
async def test_a_lease_that_the_brokers_do_not_allow_is_an_error_at_start(
    connect: Connect, lease: float, bound: str
) -> None:
    """Below their minimum, or above their maximum: said before a consumer joins, with and without setup, with both figures."""
    transport = await connect(lease=lease)
    for ask in (transport.setup, transport.missing):
        with pytest.raises(ConfigurationError, match=rf"lease .* = {lease}: expected .* {bound}"):
            await ask([QUEUE])
    assert transport.features.returns_after == lease


async def test_the_brokers_refusal_of_a_session_says_what_to_change(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the account may not read the bounds, the consumer's error names what the brokers refuse, in the user's words."""

    async def unknown(self: SessionBounds) -> None:
        """Without the right to read them."""

    monkeypatch.setattr(SessionBounds, "check", unknown)
    transport = await connect(lease=3)
    await transport.setup([QUEUE])
    subscription = await transport.subscribe(QUEUE, slots=1)
    async with asyncio.timeout(20):
        with pytest.raises(TransportUnavailable, match=r"refuse a session of 3 s: set 'lease'"):
            while True:
                await subscription.receive(1, 0.2)
