"""What a ping proves: that a message could be published now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.full_disk import full_disk
from transports import registry
from worker.errors import TransportUnavailable
from worker.messaging.transport import QueueSpec


async def test_a_disk_that_is_full_is_said_to_be(tmp_path: Path) -> None:
    """To get the file's lock is not enough: something is written; with space again all is well."""
    transport = registry.create("sqlite", "sqlite:///queue.db", {}, base=tmp_path)
    await transport.connect()
    await transport.setup([QueueSpec(name="jobs", types=("Job",), keyed=False)])
    await transport.ping()
    with full_disk(), pytest.raises(TransportUnavailable, match=r"queue\.db"):
        await transport.ping()
    await transport.ping()
    await transport.close()
