"""A place of each test's own on the Kafka that tests share, and connections to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.conformance.kafka_space import kafka_space
from tests.integration.kafka.work import Connect
from transports import registry
from worker.messaging.transport import Transport


@pytest.fixture
async def space(kafka_url: str) -> AsyncIterator[str]:
    """A place of this test's own on the shared broker."""
    async with kafka_space(kafka_url) as url:
        yield url


@pytest.fixture
async def connect(space: str, tmp_path: Any) -> AsyncIterator[Connect]:
    """Opens connections, and closes them afterwards."""
    async with AsyncExitStack() as stack:

        async def made(**options: Any) -> Transport:
            transport = registry.create("kafka", space, {"partitions": 4} | options, base=tmp_path)
            await transport.connect()
            stack.push_async_callback(transport.close)
            return transport

        yield made
