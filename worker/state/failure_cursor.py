"""The cursor of a page of failed messages: after which row the next page begins, as opaque text."""

from __future__ import annotations

import base64

import msgspec

from worker.errors import Fault, InvalidMessage
from worker.messaging.failure import Failure


def write(last: Failure) -> str:
    """Make the cursor that continues after ``last``."""
    return base64.urlsafe_b64encode(msgspec.json.encode((last.failed_at, last.id))).decode().rstrip("=")


def read(cursor: str) -> tuple[float, str]:
    """Say when the last row of the page before failed, and its id.

    Raises:
        InvalidMessage: it is no cursor.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(text, type=tuple[float, str])
    except (ValueError, msgspec.MsgspecError):
        raise InvalidMessage("failed", [Fault("/next", "expected the cursor of an earlier page")]) from None
