"""Commands that every application has: joined to its own when the buses are made, and handled at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from worker.errors import ConfigurationError
from worker.messaging.declaration import Handler, MessageType, Registry
from worker.messaging.routing import Destination, Routes

PREFIX = "worker."
"""How the wire names of the product's own commands begin."""


def with_commands(
    registry: Registry, routes: Routes, commands: Mapping[type[Any], Callable[[Any], Awaitable[Any]]]
) -> tuple[Registry, Routes]:
    """Join commands and what handles them to what an application declares; they are routed inline.

    Raises:
        ConfigurationError: the application declares one of that name.
    """
    messages = dict(registry.messages)
    by_name, by_class = dict(registry.by_name), dict(registry.by_class)
    handlers, by_type = dict(registry.handlers), dict(routes.by_type)
    for cls, call in commands.items():
        name = PREFIX + cls.__name__
        if name in by_name:
            raise ConfigurationError(f"command {name!r}: the name is the product's own; expected another")
        declared = MessageType(name=name, cls=cls, kind="command", track=False)
        messages[name] = by_name[name] = by_class[cls] = declared
        handlers[name] = (Handler(name=name, call=call, message=cls, wants_context=False, is_async=True),)
        by_type[name] = Destination(None, "")
    joined = msgspec.structs.replace(
        registry, messages=messages, by_name=by_name, by_class=by_class, handlers=handlers
    )
    return joined, msgspec.structs.replace(routes, by_type=by_type)
