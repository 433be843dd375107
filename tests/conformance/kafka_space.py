"""A place of one test's own on the Kafka that tests share."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NodeNotReadyError


@asynccontextmanager
async def kafka_space(url: str) -> AsyncIterator[str]:
    """An address with a prefix of its own; its topics are removed afterwards.

    A server that a busy machine keeps from its own heartbeats knows itself no more for a while: then they stay.
    """
    prefix = f"t{uuid.uuid4().hex[:12]}"
    yield f"{url}/{prefix}"
    with suppress(NodeNotReadyError):
        await _remove(url, prefix)


async def _remove(url: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=url.removeprefix("kafka://"))
    await admin.start()
    try:
        made = [topic for topic in await admin.list_topics() if topic.startswith(f"{prefix}.")]
        if made:
            await admin.delete_topics(made)
    finally:
        await admin.close()
