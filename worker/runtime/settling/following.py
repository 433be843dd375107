"""What goes on of a message: to its next attempt, or to the failure store."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from worker.messaging.envelope import Envelope
from worker.messaging.serializer import Serializer
from worker.messaging.stamps import Abandoned, Replay
from worker.messaging.transport import Delivery, Features, Outgoing, QueueSpec
from worker.raising import is_failure

LAST_ATTEMPT = 2**31 - 1
"""The highest attempt that a reader takes."""

log = structlog.stdlib.get_logger("worker.settlement")


def next_of(envelope: Envelope[Any]) -> Envelope[Any]:
    """Count one attempt more."""
    return msgspec.structs.replace(envelope, attempt=min(envelope.attempt + 1, LAST_ATTEMPT))


def key_of(delivery: Delivery, envelope: Envelope[Any]) -> str | None:
    """The key it is ordered by: another producer may have given it to the broker alone."""
    return envelope.key if envelope.key is not None else delivery.key


def longest_swap(features: Features, spec: QueueSpec, outgoing: Outgoing) -> float | None:
    """The longest delay with which a message is swapped for its next attempt; None where it is not, but copied."""
    if features.replaces:
        return features.max_delay
    return features.retries_in_place if spec.keyed and outgoing.key is not None else None


def body_of(serializer: Serializer, delivery: Delivery, envelope: Envelope[Any]) -> bytes:
    """What is kept of a message: as it came, with what its handlers have done; its bytes where that cannot be written."""
    try:
        return serializer.onward(envelope.without(Replay, Abandoned), delivery.body, delivery.headers)
    except BaseException as error:
        if not is_failure(error):
            raise
        log.exception("a failed message cannot be written anew; its bytes are kept", id=envelope.id)
        return delivery.body
