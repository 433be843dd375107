"""A log line about a message names it, and where it was taken from."""

from __future__ import annotations

from typing import Any

from structlog.stdlib import BoundLogger

from worker.messaging.envelope import Envelope
from worker.messaging.transport import Delivery
from worker.runtime.taking.consumer import Consumer


def named(
    log: BoundLogger, consumer: Consumer, message: Delivery | Envelope[Any], envelope: object = None
) -> BoundLogger:
    """Bind a message's type, id, correlation id and attempt, its transport and queue.

    Args:
        log: the logger.
        consumer: that has it.
        message: as it was handed out, or read.
        envelope: the message as it was read, where it was.
    """
    place = log.bind(id=message.id, transport=consumer.transport.name, queue=consumer.spec.name)
    read = envelope if isinstance(envelope, Envelope) else message
    if not isinstance(read, Envelope):
        return place
    return place.bind(
        type=read.type, id=read.id, correlation_id=read.correlation_id or read.id, attempt=read.attempt
    )
