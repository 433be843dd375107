"""Messages that every application has: joined to its own when the buses are made, and handled at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

from worker.errors import ConfigurationError
from worker.messaging.declaration import Handler, MessageType, Registry
from worker.messaging.declaring.built_in import PREFIX
from worker.messaging.routing import Destination, Routes
from worker.tokens.rights import Right


class BuiltIn(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the product's own, and what handles it.

    Attributes:
        cls: its class.
        call: handles it.
        right: what a token needs to send or ask it.
        kind: command or query.
        wants_context: whether the call takes the context, too.
    """

    cls: type[Any]
    call: Callable[..., Any]
    right: Right
    kind: Literal["command", "query"] = "command"
    wants_context: bool = False


def with_built_in(registry: Registry, routes: Routes, built_in: Iterable[BuiltIn]) -> tuple[Registry, Routes]:
    """Join built-in messages and what handles them to what an application declares; commands are routed inline.

    Each has the name of its class behind ``worker.``, and without that where the application has no message of that name.

    Raises:
        ConfigurationError: the application declares one of that name.
    """
    messages = dict(registry.messages)
    by_name, by_class = dict(registry.by_name), dict(registry.by_class)
    handlers, by_type = dict(registry.handlers), dict(routes.by_type)
    for one in built_in:
        name = PREFIX + one.cls.__name__
        if name in by_name:
            raise ConfigurationError(f"message {name!r}: the name is the product's own; expected another")
        short = one.cls.__name__
        aliases = () if short in by_name else (short,)
        declared = MessageType(
            name=name, cls=one.cls, kind=one.kind, track=False, right=one.right, aliases=aliases
        )
        messages[name] = by_class[one.cls] = declared
        by_name |= dict.fromkeys((name, *aliases), declared)
        handlers[name] = (
            Handler(
                name=name,
                call=one.call,
                message=one.cls,
                wants_context=one.wants_context,
                is_async=inspect.iscoroutinefunction(one.call),
            ),
        )
        if one.kind == "command":
            by_type[name] = Destination(None, "")
    joined = msgspec.structs.replace(
        registry, messages=messages, by_name=by_name, by_class=by_class, handlers=handlers
    )
    return joined, msgspec.structs.replace(routes, by_type=by_type)
