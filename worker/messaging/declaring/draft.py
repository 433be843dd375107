"""A draft of the registry: what declarations come to, while they are checked kind after kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from worker.messaging.declaration import Handler, MessageType, Registry
from worker.messaging.declaring.declarations import Declarations


class Draft:
    """What is known so far.

    Args:
        declared: all entries.

    Attributes:
        faults: what is wrong, in the order in which it was found.
        messages: in order of declaration.
        by_name: those whose names are right, aliases too.
        by_class: those whose classes are right.
        handlers: by wire name of the type, in order of declaration.
    """

    def __init__(self, declared: Declarations) -> None:
        self.declared = declared
        self.faults = list(declared.faults)
        self.messages: list[MessageType] = []
        self.by_name: dict[str, MessageType] = {}
        self.by_class: dict[type[Any], MessageType] = {}
        self.handlers: dict[str, list[Handler]] = {}
        self._entries: dict[type[Any], tuple[Any, ...]] = {}

    def keep(self, kind: type[Any], entries: Iterable[Any]) -> None:
        """Put checked entries of a kind into the registry."""
        self._entries[kind] = tuple(entries)

    def registry(self, application: str, plugins: tuple[str, ...]) -> Registry:
        """Make the registry."""
        return Registry(
            application=application,
            messages={message.name: message for message in self.messages},
            by_name=self.by_name,
            by_class=self.by_class,
            handlers={
                name: tuple(sorted(found, key=lambda h: -h.priority)) for name, found in self.handlers.items()
            },
            entries=self._entries,
            plugins=plugins,
        )


Check = Callable[[Draft], None]
"""Checks all entries of one kind: what they come to, and what is wrong, joins the draft."""
