"""What the SQS transport can do."""

from __future__ import annotations

from transports.sqs.settings import LONGEST_LEASE, Settings
from worker.messaging.transport import Features

LONGEST_DELAY = 900.0
"""Seconds: the longest delay that the service keeps on a standard queue; on a FIFO queue, consumers hold messages back."""

LONGEST_RETRY = LONGEST_LEASE / 2
"""Most seconds for which a FIFO queue's message is hidden for a retry: half of what the service allows; the rest is for
handling it."""


def features(settings: Settings) -> Features:
    """Describe it, as it is configured."""
    return Features(
        durable=True,
        shared=True,
        ordering="none" if settings.fifo == "none" else "key",
        max_delay=LONGEST_DELAY,
        lease=True,
        returns_after=settings.lease,
        replaces=False,
        retries_in_place=None if settings.fifo == "none" else LONGEST_RETRY,
        priorities=1,
        max_bytes=settings.max_bytes,
        max_batch=1000,
        depth="approximate",
        counts_deliveries=False,
    )
