"""What a schedule's function returned: messages that may be sent, or an error that names what it is."""

from __future__ import annotations

from typing import Any

from worker.errors import UsageError
from worker.messaging.declaration import MessageType, Registry
from worker.messaging.sendable import check_fits
from worker.suggestion import hint

MOST = 10_000
"""Messages that one firing sends, at most: they are written in one transaction."""


def messages_of(registry: Registry, schedule: str, returned: object) -> list[tuple[Any, MessageType]]:
    """Return the messages with their types; none for None.

    Raises:
        UsageError: something among them is no declared command or event, or its values do not fit its type.
    """
    if returned is None:
        return []
    several = returned if type(returned) in {list, tuple} else [returned]
    assert isinstance(several, list | tuple)
    if len(several) > MOST:
        raise UsageError(f"schedule {schedule} returned {len(several)} messages; expected {MOST} at most")
    return [(message, _declared(registry, schedule, message)) for message in several]


def _declared(registry: Registry, schedule: str, message: Any) -> MessageType:
    declared = registry.by_class.get(type(message))
    if declared is None:
        name = type(message).__name__
        if isinstance(message, type) and message in registry.by_class:
            raise UsageError(
                f"schedule {schedule} returned the class {message.__name__}; write {message.__name__}(...)"
            )
        known = [found.name for found in registry.messages.values() if found.kind != "query"]
        raise UsageError(
            f"schedule {schedule} returned a {name}, which is no declared command or event{hint(name, known)}"
        )
    if declared.kind == "query":
        raise UsageError(
            f"schedule {schedule} returned the query {declared.name}, which is answered at once and never sent"
        )
    check_fits(f"schedule {schedule}", declared, message)
    return declared
