"""A place of one test's own on the Kafka that tests share."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient


@asynccontextmanager
async def kafka_space(url: str) -> AsyncIterator[str]:
    """An address with a prefix that nobody else has; its topics are removed afterwards."""
    prefix = f"t{uuid.uuid4().hex[:12]}"
    yield f"{url}/{prefix}"
    admin = AIOKafkaAdminClient(bootstrap_servers=url.removeprefix("kafka://"))
    await admin.start()
    try:
        made = [topic for topic in await admin.list_topics() if topic.startswith(f"{prefix}.")]
        if made:
            await admin.delete_topics(made)
    finally:
        await admin.close()
