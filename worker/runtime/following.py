"""The next attempt of a message: what it goes on with."""

from __future__ import annotations

from typing import Any

import msgspec

from worker.messaging.envelope import Envelope
from worker.messaging.transport import Delivery

LAST_ATTEMPT = 2**31 - 1
"""The highest attempt that a reader takes."""


def next_of(envelope: Envelope[Any]) -> Envelope[Any]:
    """Count one attempt more."""
    return msgspec.structs.replace(envelope, attempt=min(envelope.attempt + 1, LAST_ATTEMPT))


def key_of(delivery: Delivery, envelope: Envelope[Any]) -> str | None:
    """The key it is ordered by: another producer may have given it to the broker alone."""
    return envelope.key if envelope.key is not None else delivery.key
