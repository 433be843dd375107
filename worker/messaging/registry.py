"""Checks at start: turns declarations into a ``Registry``, or says everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from worker.errors import ConfigurationError
from worker.messaging.breaker import Breaker
from worker.messaging.declaration import Handler, MessageType, MiddlewareEntry, Registry
from worker.messaging.handlers import HandlerEntry, name_of, resolve
from worker.messaging.options import class_faults, option_faults
from worker.messaging.placement import placed

NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_.\-]{0,127}$")
"""Wire names: a letter, then letters, digits, dot, dash and underscore; at most 128."""


class WrongDeclarations(ConfigurationError):
    """Declarations with faults.

    Attributes:
        registry: what they come to all the same, to look for other faults; None where they come to nothing.
    """

    def __init__(self, faults: Sequence[str], registry: Registry | None) -> None:
        self.registry = registry
        super().__init__(faults)


def check(
    application: Any,
    messages: Sequence[MessageType],
    entries: Sequence[HandlerEntry],
    middleware: Sequence[MiddlewareEntry],
    plugins: tuple[str, ...],
    said: Sequence[str] = (),
) -> Registry:
    """Check declarations; ``said`` is what was found wrong as they were made.

    Raises:
        WrongDeclarations: with every fault found.
    """
    faults = list(said)
    if not isinstance(application, str) or not NAME.fullmatch(application):
        faults.append(f"App({application!r}): expected a name of letters, digits, '.', '-' or '_'")
    by_name, by_class = _index(messages, faults)
    handlers = resolve(entries, by_class, faults)
    _count_handlers(messages, handlers, faults)
    faults.extend(_breaker_faults(handlers))
    steps = tuple(placed(entry, by_name, by_class, faults) for entry in middleware)

    def made() -> Registry:
        return Registry(
            application=application,
            messages={message.name: message for message in messages},
            by_name=by_name,
            by_class=by_class,
            handlers={
                name: tuple(sorted(found, key=lambda h: -h.priority)) for name, found in handlers.items()
            },
            middleware=steps,
            plugins=plugins,
        )

    if not faults:
        return made()
    try:
        registry = made()
    except Exception:  # names that are no text, priorities that are no numbers
        registry = None
    raise WrongDeclarations(faults, registry)


def _index(
    messages: Sequence[MessageType], faults: list[str]
) -> tuple[dict[str, MessageType], dict[type[Any], MessageType]]:
    by_name: dict[str, MessageType] = {}
    by_class: dict[type[Any], MessageType] = {}
    for message in messages:
        where = f"{message.kind} {message.name!r} ({name_of(message.cls)})"
        names: tuple[Any, ...] = (message.name, *message.aliases)
        for name in names:
            if not isinstance(name, str) or not NAME.fullmatch(name):
                faults.append(f"{where}: {name!r} is no wire name; expected letters, digits, '.', '-' or '_'")
                continue
            if name in by_name:
                faults.append(f"{where}: {name!r} is declared twice, also by {name_of(by_name[name].cls)}")
            by_name.setdefault(name, message)
        cls: Any = message.cls
        if not isinstance(cls, type):
            faults.extend(f"{where}: {fault}" for fault in class_faults(cls))
            continue
        if message.cls in by_class:
            faults.append(f"{where}: its class is declared twice, also as {by_class[message.cls].name!r}")
        by_class.setdefault(message.cls, message)
        faults.extend(f"{where}: {fault}" for fault in option_faults(message))
    return by_name, by_class


def _count_handlers(
    messages: Sequence[MessageType], handlers: Mapping[str, list[Handler]], faults: list[str]
) -> None:
    for message in messages:
        found = handlers.get(message.name, [])
        names = ", ".join(handler.name for handler in found)
        if message.kind != "event" and not found:
            faults.append(f"{message.kind} {message.name!r}: no handler; declare one with @app.handler")
        if len(found) > 1 and message.kind != "event" and not message.many_handlers:
            hint = "; say many_handlers=True if that is meant" if message.kind == "command" else ""
            faults.append(
                f"{message.kind} {message.name!r}: {len(found)} handlers ({names}), expected one{hint}"
            )
        if len({handler.name for handler in found}) < len(found):
            faults.append(f"{message.kind} {message.name!r}: two handlers of one name ({names})")


def _breaker_faults(handlers: Mapping[str, list[Handler]]) -> Iterable[str]:
    """Handlers that name one dependency must mean one breaker by it."""
    first: dict[str, Handler] = {}
    for found in handlers.values():
        for handler in found:
            breaker = handler.breaker
            if not isinstance(breaker, Breaker) or breaker.dependency is None:
                continue
            other = first.setdefault(breaker.dependency, handler)
            if other.breaker != breaker:
                yield (
                    f"handlers {other.name} and {handler.name}: the breakers of dependency "
                    f"{breaker.dependency!r} differ; expected one Breaker for both"
                )
