"""Checks at start: turns declarations into a ``Registry``, or says everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from worker.errors import ConfigurationError
from worker.messaging.declaration import MessageType, MiddlewareEntry, Registry
from worker.messaging.declaring.declarations import Declarations
from worker.messaging.declaring.handlers import handlers_of
from worker.messaging.declaring.messages import NAME, indexed
from worker.messaging.declaring.placement import placed
from worker.messaging.declaring.resolving import HandlerEntry


class WrongDeclarations(ConfigurationError):
    """Declarations with faults.

    Attributes:
        registry: what they come to all the same, to look for other faults; None where they come to nothing.
    """

    def __init__(self, faults: Sequence[str], registry: Registry | None) -> None:
        self.registry = registry
        super().__init__(faults)


def check(application: Any, declared: Declarations, plugins: tuple[str, ...]) -> Registry:
    """Check declarations, each kind by its own check.

    Raises:
        WrongDeclarations: with every fault found.
    """
    faults = list(declared.faults)
    if not isinstance(application, str) or not NAME.fullmatch(application):
        faults.append(f"App({application!r}): expected a name of letters, digits, '.', '-' or '_'")
    messages = declared.of(MessageType)
    by_name, by_class = indexed(messages, faults)
    handlers = handlers_of(declared.of(HandlerEntry), messages, by_class, faults)
    middleware = [placed(entry, by_name, by_class, faults) for entry in declared.of(MiddlewareEntry)]

    def made() -> Registry:
        return Registry(
            application=application,
            messages={message.name: message for message in messages},
            by_name=by_name,
            by_class=by_class,
            handlers={
                name: tuple(sorted(found, key=lambda h: -h.priority)) for name, found in handlers.items()
            },
            middleware=tuple(middleware),
            plugins=plugins,
        )

    if not faults:
        return made()
    try:
        registry = made()
    except Exception:  # names that are no text, priorities that are no numbers
        registry = None
    raise WrongDeclarations(faults, registry)
