"""The lease of a Kafka transport against the bounds of a real broker."""

from __future__ import annotations

import pytest

from tests.integration.kafka.work import QUEUE, Connect
from worker.errors import ConfigurationError

pytestmark = [pytest.mark.broker]


@pytest.mark.parametrize(("lease", "bound"), [(3, "group.min.session"), (3600, "group.max.session")])
async def test_a_lease_that_the_brokers_do_not_allow_is_an_error_at_start(
    connect: Connect, lease: float, bound: str
) -> None:
    """Below their minimum, or above their maximum: said before anybody joins, with and without setup, with both figures."""
    transport = await connect(lease=lease)
    for ask in (transport.setup, transport.missing):
        with pytest.raises(ConfigurationError, match=rf"lease .* = {lease}: expected .* {bound}"):
            await ask([QUEUE])
    assert transport.features.returns_after == lease
