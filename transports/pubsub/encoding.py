"""Messages as Pub/Sub carries them: what it cannot carry is refused."""

from __future__ import annotations

from typing import Any

from transports.pubsub import wire
from worker.messaging.keys import kept
from worker.messaging.transport import Outgoing

ID, CONTENT_TYPE, KEY = "message-id", "content-type", "key"
"""Attributes: the id it was published under, what its body is, and its key where the queue keeps no order."""
_OVERHEAD = 400
"""Bytes a message takes beyond its body, key and id."""
_ATTRIBUTE = 1024
"""Bytes of an attribute's value, and of an ordering key."""


def sent(key: str | None) -> str | None:
    """A key as it is sent: its hash where it is longer than Pub/Sub takes."""
    return None if key is None else kept(key, _ATTRIBUTE)


def encode(message: Outgoing, *, ordered: bool) -> tuple[Any, int]:
    """Make a Pub/Sub message, and tell how many bytes of a request it takes; ``ordered``: its queue orders by key."""
    attributes = {ID: message.id, CONTENT_TYPE: message.content_type}
    key = sent(message.key)
    if key and not ordered:
        attributes[KEY] = key
    made = wire.Message(data=message.body, attributes=attributes, ordering_key=key or "" if ordered else "")
    return made, len(message.body) + len(message.id) + _OVERHEAD + (4 * len(key) if key else 0)


def unfit(message: Outgoing) -> str | None:
    """Say why Pub/Sub does not take a message; None where it does."""
    for what, text in (("id", message.id), ("content type", message.content_type)):
        if text and len(text) > _ATTRIBUTE // 4 and (size := len(text.encode())) > _ATTRIBUTE:
            return f"its {what} has {size} bytes, Pub/Sub's limit is {_ATTRIBUTE}"
    return None
