"""The cursor of a page of failed messages: after which row the next page begins, as opaque text."""

from __future__ import annotations

import base64

import msgspec
from sqlalchemy import and_, or_
from sqlalchemy.sql import ColumnElement

from worker.errors import Fault, InvalidMessage
from worker.messaging.failure import Failure
from worker.state.tables import failures


def write(last: Failure) -> str:
    """Make the cursor that continues after ``last``."""
    return base64.urlsafe_b64encode(msgspec.json.encode((last.failed_at, last.id))).decode().rstrip("=")


def behind(cursor: str) -> ColumnElement[bool]:
    """Make the condition of the rows that follow.

    Raises:
        InvalidMessage: it is no cursor.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, failure_id = msgspec.json.decode(text, type=tuple[float, str])
    except (ValueError, msgspec.MsgspecError):
        raise InvalidMessage("failed", [Fault("/next", "expected the cursor of an earlier page")]) from None
    older = failures.c.failed_at < at
    return or_(older, and_(failures.c.failed_at == at, failures.c.id < failure_id))
