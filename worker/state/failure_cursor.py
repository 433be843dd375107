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
        failed_at, id = msgspec.json.decode(text, type=tuple[float, str])
    except (ValueError, msgspec.MsgspecError):
        failed_at, id = 0.0, "\0"
    if "\0" in id:
        raise InvalidMessage("failed", [Fault("/next", "expected the cursor of an earlier page")])
    return failed_at, id
