"""What may be sent: a message of the right kind whose values fit its type, or an error where it was said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from worker.errors import InvalidMessage, UsageError
from worker.messaging.declaration import Kind, MessageType, Registry
from worker.messaging.limits import key_for
from worker.messaging.validation import fitting
from worker.suggestion import hint

_ASKED = {
    "command": "is a command; use dispatch()",
    "event": "is an event; use record()",
    "query": "is a query, which is answered at once and never sent",
}

Check = Callable[[str, Any, Kind], None]
"""Raises UsageError for what may not be sent by a call of this name."""


def checker(registry: Registry) -> Check:
    """Make the check of what handlers record and dispatch."""

    def check(call: str, message: Any, kind: Kind) -> None:
        declared = registry.by_class.get(type(message))
        if declared is None:
            raise UsageError(f"{call}() takes {_no_message(registry, message, kind)}")
        if declared.kind != kind:
            raise UsageError(f"{call}({declared.name}): {declared.name} {_ASKED[declared.kind]}")
        check_fits(call, declared, message)

    return check


def check_fits(call: str, declared: MessageType, message: Any) -> None:
    """Refuse a message whose values its own type would not read again, or whose key could not be kept.

    Raises:
        UsageError: names every field that does not fit.
    """
    try:
        fitting(declared, message)
        key_for(declared, message, None)
    except InvalidMessage as error:
        raise UsageError(f"{call}({declared.name}): {error}") from error


def _no_message(registry: Registry, message: Any, kind: Kind) -> str:
    """Say what is expected instead of a value that is no message."""
    wanted = f"{'an' if kind == 'event' else 'a'} {kind}"
    if isinstance(message, type) and message in registry.by_class:
        return f"{wanted}, not its class; write {message.__name__}(...)"
    name = type(message).__name__
    known = [declared.name for declared in registry.of_kind(kind)]
    return f"{wanted} that is declared, not a {name}{hint(name, known)}"
