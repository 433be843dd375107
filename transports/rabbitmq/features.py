"""What the RabbitMQ transport can do."""

from __future__ import annotations

from transports.rabbitmq.delays import LONGEST
from transports.rabbitmq.settings import SILENT, Settings
from worker.messaging.transport import Features

BATCH = 1000
"""Messages in one publish, and at most that many more unconfirmed ones before it."""
PRIORITIES = 10


def features(settings: Settings) -> Features:
    """Describe it; priorities are there in classic queues only."""
    return Features(
        durable=True,
        shared=True,
        ordering="key",
        max_delay=LONGEST,
        lease=False,
        returns_after=SILENT * settings.heartbeat,
        replaces=True,
        priorities=PRIORITIES if settings.queue_type == "classic" else 1,
        max_bytes=settings.max_bytes,
        max_batch=BATCH,
        depth="approximate",
        counts_deliveries=False,
    )
