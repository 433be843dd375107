"""Reads what a pull brought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transports.pubsub.encoding import ID, KEY
from transports.pubsub.receipt import Acknowledges, Era, Receipt
from worker.messaging.transport import Delivery


def read(
    queue: str, received: Sequence[Any], acknowledger: Acknowledges, era: Era, until: float
) -> list[Delivery]:
    """Make deliveries of what a pull brought."""
    deliveries = []
    for each in received:
        message = each.message
        attributes = message.attributes
        headers = {
            name: attributes[name] for name in attributes
        }  # dict() goes through a view, at twice the time
        message_id = headers.pop(ID, "") or headers.get("ce-id") or message.message_id
        key = message.ordering_key or headers.pop(KEY, None)
        deliveries.append(
            Delivery(
                queue=queue,
                id=message_id,
                body=message.data,
                headers=headers,
                key=key,
                redelivered=each.delivery_attempt != 1,  # 0: the service does not count, so it is not known
                receipt=Receipt(each.ack_id, acknowledger, era, until),
            )
        )
    return deliveries
