"""What a broker will never take, and why."""

from __future__ import annotations

from worker.messaging.transport import Outgoing


def refusal(message: Outgoing, max_bytes: int) -> str | None:
    """Say why a message is refused as it is; None when it is fit to be taken."""
    size = len(message.body)
    if size > max_bytes:
        return f"the body has {size} bytes, the limit is {max_bytes} (max_bytes)"
    text = f"{message.id}{message.key or ''}{message.content_type}"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "its id, key or content type holds a lone surrogate, which UTF-8 cannot express"
    return None
