"""What the Kafka transport can do."""

from __future__ import annotations

from transports.kafka.names import LEVELS
from transports.kafka.settings import Settings
from worker.messaging.transport import Features


def features(settings: Settings) -> Features:
    """Describe it, as it is configured."""
    return Features(
        durable=True,
        shared=True,
        shares="partition",
        ordering="key",
        max_delay=LEVELS[-1].seconds,
        lease=False,
        returns_after=settings.session_timeout,
        replaces=True,
        priorities=1,
        max_bytes=settings.max_bytes,
        max_batch=1000,
        depth="approximate",
        counts_deliveries=False,
    )
