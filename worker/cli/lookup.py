"""Finding what was named on the command line: message types and transports."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from worker.errors import ConfigurationError, NotFound
from worker.messaging.declaration import MessageType, Registry
from worker.settings import Settings
from worker.settings.model import INLINE
from worker.suggestion import hint


def command_named(registry: Registry, name: str) -> MessageType:
    """Return the command of a wire name or alias.

    Raises:
        NotFound: there is none; says which was probably meant.
    """
    declared = registry.by_name.get(name)
    if declared is None:
        raise NotFound(f"no command {name!r} is declared{hint(name, command_names(registry))}")
    if declared.kind != "command":
        raise NotFound(
            f"{name!r} is {'an event' if declared.kind == 'event' else 'a query'}; only commands are sent"
        )
    return declared


def message_named(registry: Registry, name: str) -> MessageType:
    """Return the message type of a wire name or alias, of any kind.

    Raises:
        NotFound: there is none; says which was probably meant.
    """
    declared = registry.by_name.get(name)
    if declared is None:
        raise NotFound(f"no message type {name!r} is declared{hint(name, registry.by_name)}")
    return declared


def command_names(registry: Registry) -> list[str]:
    """Wire names and aliases of all commands."""
    return [name for name, declared in registry.by_name.items() if declared.kind == "command"]


def check_transports(settings: Settings, names: Iterable[str]) -> None:
    """Refuse names of transports that are not configured.

    Raises:
        ConfigurationError: names every one of them, and the known ones.
    """
    known = list(settings.transports)
    faults = [
        f"transport {name!r} is not configured; known: {', '.join(sorted(known))}"
        for name in names
        if name not in known
    ]
    if faults:
        raise ConfigurationError(faults)


def rerouted(registry: Registry, settings: Settings, transport: str) -> Registry:
    """Return the registry with every command going to ``transport``, whatever routing and declarations say.

    Raises:
        ConfigurationError: it is not configured.
    """
    if transport != INLINE:
        check_transports(settings, [transport])
    moved = {
        message: msgspec.structs.replace(message, transport=transport)
        if message.kind == "command"
        else message
        for message in registry.messages.values()
    }
    return msgspec.structs.replace(
        registry,
        messages={name: moved[message] for name, message in registry.messages.items()},
        by_name={name: moved[message] for name, message in registry.by_name.items()},
        by_class={cls: moved[message] for cls, message in registry.by_class.items()},
    )
