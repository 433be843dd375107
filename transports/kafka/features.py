"""What the Kafka transport can do."""

from __future__ import annotations

from transports.kafka.names import LEVELS
from worker.messaging.transport import Features


def features(max_bytes: int) -> Features:
    """Describe it; ``max_bytes`` is the limit that was configured."""
    return Features(
        durable=True,
        shared=True,
        shares="partition",
        ordering="key",
        max_delay=LEVELS[-1].seconds,
        lease=False,
        replaces=True,
        priorities=1,
        max_bytes=max_bytes,
        max_batch=1000,
        depth="approximate",
        counts_deliveries=False,
    )
