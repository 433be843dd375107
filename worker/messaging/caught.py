"""The event that says a handler failed; heard where an application subscribes to it."""

from __future__ import annotations

import msgspec


class ExceptionWasCaught(msgspec.Struct, frozen=True, kw_only=True):
    """A handler failed; leaves after what it had recorded, where ``[events] deliver_on_error`` is on.

    Attributes:
        type: of the message that it handled.
        id: of that message.
        attempt: which one failed, from 1.
        error_type: name of the error's class.
        message: the error's text; empty where it has none.
    """

    type: str
    id: str
    attempt: int
    error_type: str
    message: str
