"""The product's own events, which are messages of an application as soon as it subscribes to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from worker.messaging.caught import ExceptionWasCaught
from worker.messaging.declaration import MessageType
from worker.messaging.declaring.draft import Draft
from worker.tokens.events import TokensWereDeleted, TokenWasAdded, TokenWasDeleted

PREFIX = "worker."
"""How the wire names of the product's own messages begin."""

_EVENTS: tuple[type[Any], ...] = (
    ExceptionWasCaught,
    TokenWasAdded,
    TokenWasDeleted,
    TokensWereDeleted,
)


def built_in_events() -> Iterable[MessageType]:
    """Declare them."""
    return (MessageType(name=PREFIX + cls.__name__, cls=cls, kind="event") for cls in _EVENTS)


def offer_events(draft: Draft) -> None:
    """Let handlers be declared for them."""
    for event in built_in_events():
        draft.by_class.setdefault(event.cls, event)


def keep_heard(draft: Draft) -> None:
    """Take those that have subscribers for messages of the application, and forget the others."""
    for event in built_in_events():
        if draft.by_class.get(event.cls) is None or draft.by_class[event.cls].name != event.name:
            continue
        if event.name in draft.handlers:
            draft.messages.append(event)
            draft.by_name.setdefault(event.name, event)
        else:
            del draft.by_class[event.cls]
