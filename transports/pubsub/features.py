"""What the Pub/Sub transport can do."""

from __future__ import annotations

from transports.pubsub.settings import Settings
from worker.messaging.transport import Features

BATCH = 1000
"""Messages in one publish: the service's limit."""


def features(settings: Settings) -> Features:
    """Describe it; delayed messages wait elsewhere, as Pub/Sub has no delays."""
    return Features(
        durable=True,
        shared=True,
        ordering="key",
        max_delay=0.0,
        lease=True,
        returns_after=float(settings.lease),
        replaces=False,
        priorities=1,
        max_bytes=settings.max_bytes,
        max_batch=BATCH,
        depth="late" if settings.monitoring else "none",
        counts_deliveries=False,
    )
