"""Parcels for tests."""

from __future__ import annotations

from worker.messaging.parcel import Parcel
from worker.messaging.transport import Outgoing


def parcel(
    message_id: str, *, key: str | None = None, delay: float = 0.0, transport: str = "memory"
) -> Parcel:
    return Parcel(
        transport, Outgoing(queue="q", id=message_id, type="Done", body=b"{}", key=key, delay=delay)
    )
