"""What an id, a key and a delay of a command may be; one place for every way in."""

from __future__ import annotations

from typing import Any

from worker.errors import Fault, InvalidMessage
from worker.messaging.declaration import MessageType
from worker.messaging.faults import escape
from worker.messaging.identity import is_id
from worker.messaging.shapes import shape_of
from worker.seconds import LONGEST, seconds_of

MAX_KEY = 1024
"""Characters."""


def id_fault(id: str | None) -> str | None:
    """Say what is wrong with a message id that was given; None when nothing is."""
    return None if id is None or is_id(id) else "expected a UUID"


def key_fault(key: str | None) -> str | None:
    """Say what is wrong with an ordering key that was given; None when nothing is."""
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY:
        return f"expected 1 to {MAX_KEY} characters"
    if "\0" in key:
        return "expected text without NUL"
    try:
        key.encode()
    except UnicodeEncodeError:
        return "expected text that UTF-8 can express"
    return None


def correlation_fault(correlation_id: str | None) -> str | None:
    """Say what is wrong with a correlation id that was given; None when nothing is."""
    return (
        None
        if correlation_id is None or correlation_id.isprintable()
        else "expected text that can be printed"
    )


def delay_fault(seconds: float, *, inline: bool) -> str | None:
    """Say what is wrong with a delay; None when nothing is. A command that is handled at once has none."""
    try:
        seconds_of(seconds)
    except ValueError:
        return f"expected seconds, 0 to {LONGEST:.0f}"
    return "a command that is handled at once cannot be delayed" if seconds and inline else None


def key_for(declared: MessageType, message: Any, given: str | None) -> str | None:
    """Return the key to send a command with: the one given, else the message's own.

    Raises:
        InvalidMessage: the message's own key has a NUL, which no broker and database has to keep.
    """
    if given is not None or declared.key is None:
        return given
    key = declared.key_of(message)
    if key is not None and "\0" in key:
        raise InvalidMessage(
            declared.name, [Fault(_pointer(declared), "is its key: expected text without NUL")]
        )
    return key


def _pointer(declared: MessageType) -> str:
    for field in getattr(shape_of(declared.read_as), "fields", ()):
        if field.name == declared.key:
            return f"/{escape(field.encode_name)}"
    return ""
