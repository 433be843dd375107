"""What the PostgreSQL transport can do."""

from __future__ import annotations

from worker.messaging.transport import Features


def features(max_bytes: int, lease: float) -> Features:
    """Describe it; the limit of bytes and the lease are as configured."""
    return Features(
        durable=True,
        shared=True,
        ordering="key",
        max_delay=float("inf"),
        lease=True,
        returns_after=lease,
        replaces=True,
        priorities=1,
        max_bytes=max_bytes,
        max_batch=1000,
        depth="exact",
        counts_deliveries=True,
    )
